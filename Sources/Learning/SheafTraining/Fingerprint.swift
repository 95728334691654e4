import LinearAlgebra

/// A hash of numbers (FNV-1a, 64 bits), by which samples and networks are known again.
package struct Fingerprint {
  /// The hash of what was combined.
  package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The hash of nothing.
  package init() {}

  /// Takes in 64 bits.
  package mutating func combine(_ bits: UInt64) { hash = (hash ^ bits) &* 0x100_0000_01b3 }

  /// Takes in all numbers of a matrix.
  package mutating func combine(_ matrix: Matrix) {
    matrix.elements.forEach { combine($0.bitPattern) }
  }

  /// The hash in hexadecimal digits.
  package var text: String { String(hash, radix: 16) }
}
