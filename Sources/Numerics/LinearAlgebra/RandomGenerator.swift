#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A small seeded generator (xoshiro256**, Blackman, Vigna 2018; state filled by SplitMix64).
///
/// Same seed, same numbers, on every platform. Pass it in wherever randomness is needed.
public struct RandomGenerator: RandomNumberGenerator, Sendable, Equatable {
  private var s0, s1, s2, s3: UInt64

  /// A generator whose whole state follows from `seed`.
  public init(seed: UInt64) {
    var x = seed
    func next() -> UInt64 {
      x &+= 0x9E37_79B9_7F4A_7C15
      var z = x
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    (s0, s1, s2, s3) = (next(), next(), next(), next())
  }

  /// The whole state, four numbers.
  public var state: [UInt64] { [s0, s1, s2, s3] }

  /// The generator in a state that another one was in.
  public init(state: [UInt64]) {
    precondition(state.count == 4, "a state of \(state.count) numbers, expected 4")
    (s0, s1, s2, s3) = (state[0], state[1], state[2], state[3])
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotate(s1 &* 5, 7) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotate(s3, 45)
    return result
  }

  /// A uniform number in [0, 1).
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A uniform number in [a, b).
  public mutating func uniform(_ a: Double, _ b: Double) -> Double { a + (b - a) * uniform() }

  /// A standard normal number (Box, Muller 1958).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A matrix of independent normal numbers with mean 0.
  public mutating func normalMatrix(rows: Int, columns: Int, deviation: Double = 1) -> Matrix {
    Matrix(
      rows: rows, columns: columns,
      columnMajor: (0..<rows * columns).map { _ in deviation * normal() })
  }

  /// A matrix of independent signs, 1 and −1 with probability ½ each.
  public mutating func signs(rows: Int, columns: Int) -> Matrix {
    Matrix(
      rows: rows, columns: columns,
      columnMajor: (0..<rows * columns).map { _ in next() >> 63 == 0 ? 1 : -1 })
  }

  /// A random permutation of 0..<n (Fisher, Yates).
  public mutating func permutation(_ n: Int) -> [Int] { Array(0..<n).shuffled(using: &self) }
}
