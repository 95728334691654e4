import BigInt

extension IntegerMatrix where Element == BigInt {
  /// The determinant of a square matrix, by its residues modulo primes whose product exceeds twice Hadamard's
  /// bound on its magnitude.
  ///
  /// Cost: r³/3 for each prime of 31 bits; at worst about r log₂(r^½ max|a|)/31 primes.
  var determinant: BigInt {
    precondition(rows == columns, "the determinant of a \(rows) × \(columns) matrix")
    let bound = min(hadamardBits(byRows: true), hadamardBits(byRows: false)) + 2
    var (value, modulus): (BigInt, BigInt) = (0, 1)
    for field in PrimeField.large {
      if modulus.bitWidth > bound + 1 { break }
      let p = BigInt(field.characteristic)
      let residue = determinant(modulo: field)
      // Garner: value + modulus · x has the new residue.
      let missing = field.difference(
        residue, minus: field.element(Int(value.modulus(p))), times: field.one)
      let x = field.product(
        missing, field.inverse(ofUnit: field.element(Int(modulus.modulus(p)))))
      value += modulus * BigInt(x)
      modulus *= p
    }
    return value + value > modulus ? value - modulus : value
  }

  /// A number of bits that the product of the rows' or columns' lengths does not exceed.
  private func hadamardBits(byRows: Bool) -> Int {
    let twice = (0..<rows).reduce(0) { bits, i in
      bits
        + (0..<rows).reduce(BigUInt(0)) { sum, j in
          let a = (byRows ? self[i, j] : self[j, i]).magnitude
          return sum + a * a
        }.bitWidth
    }
    return (twice + 1) / 2
  }

  private func determinant(modulo field: PrimeField) -> UInt32 {
    let p = BigInt(field.characteristic)
    let n = rows
    var a = elements.map { field.element(Int($0 % p)) }
    var result = field.one
    for t in 0..<n {
      guard let pivot = (t..<n).first(where: { a[$0 * n + t] != 0 }) else { return 0 }
      if pivot != t {
        for j in t..<n { a.swapAt(pivot * n + j, t * n + j) }
        result = field.negative(result)
      }
      result = field.product(result, a[t * n + t])
      let inverse = field.inverse(ofUnit: a[t * n + t])
      for i in t + 1..<max(t + 1, n) where a[i * n + t] != 0 {
        let factor = field.product(a[i * n + t], inverse)
        for j in t + 1..<max(t + 1, n) {
          a[i * n + j] = field.difference(a[i * n + j], minus: factor, times: a[t * n + j])
        }
      }
    }
    return result
  }
}
