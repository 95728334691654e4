import Foundation

/// The generator of Steele, Lea and Flood (2014), in a few lines of any language: what it splits and removes here can be split
/// and removed elsewhere.
public struct SplitMix64: Sendable {
  private var state: UInt64

  /// A generator.
  public init(seed: UInt64) { state = seed }

  /// 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A whole number from 0 to n − 1: the remainder of 64 bits by n.
  public mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }

  /// A number from 0 to below 1, of 53 bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A standard normal number by Box and Muller, one from two uniform ones.
  public mutating func normal() -> Double {
    let (u, v) = (unit(), unit())
    return (-2 * log(1 - u)).squareRoot() * cos(2 * Double.pi * v)
  }

  /// 0 to n − 1 in random order (Fisher and Yates, from the end).
  public mutating func shuffled(_ n: Int) -> [Int] {
    var list = Array(0..<n)
    for i in stride(from: n - 1, to: 0, by: -1) { list.swapAt(i, below(i + 1)) }
    return list
  }
}
