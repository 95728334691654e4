import BigInt
import CellularSheaves
import ExactAlgebra
import LinearAlgebra

/// The coboundaries of a sheaf over a field without rounding.
struct ExactCoboundaries<Arithmetic: ColumnArithmetic> {
  typealias Element = Arithmetic.Element

  let sheaf: CellularSheaf
  let arithmetic: Arithmetic
  /// How a coboundary is read; over ℚ a multiple of it does.
  let read: (SparseMatrix) throws(UnreadableEntry) -> SparseColumns<Element>
  /// The whole number that an element stands for.
  let whole: (Element) -> BigInt

  /// δ^k.
  ///
  /// - Throws: `PersistenceError`; `ArithmeticOverflow` if the elements' type is too small.
  func columns(degree k: Int) throws -> SparseColumns<Element> {
    do {
      return try read(sheaf.coboundary(k))
    } catch {
      if error.overflows { throw ArithmeticOverflow() }
      throw PersistenceError.coefficients(.entry(degree: k, error))
    }
  }

  /// δ^{k+1} δ^k = 0, column by column.
  func checkSquare(
    _ first: SparseColumns<Element>, _ second: SparseColumns<Element>, degree k: Int
  ) throws {
    let ring = arithmetic.ring
    var sum = WorkingColumn(rows: second.rows, zero: ring.zero, isOrdered: false)
    for j in 0..<first.columns {
      for l in first.columnStarts[j]..<first.columnStarts[j + 1] {
        try sum.combine(
          ring.one, minus: ring.negative(first.values[l]), times: second,
          Int(first.rowIndices[l]), over: ring)
      }
      for i in sum.touched where sum.values[Int(i)] != ring.zero {
        throw PersistenceError.coefficients(
          .notZero(degree: k, row: Int(i), column: j, value: "\(sum.values[Int(i)])"))
      }
      sum.clear(ring.zero)
    }
  }
}

/// What is computed from exact coboundaries, whatever the field.
protocol ExactComputation {
  associatedtype Result

  /// - Throws: `PersistenceError`; `ArithmeticOverflow` if the elements' type is too small.
  func result<Arithmetic>(_ coboundaries: ExactCoboundaries<Arithmetic>) throws -> Result
}

extension ExactComputation {
  /// The result over GF(p).
  func result(_ sheaf: CellularSheaf, modulo p: Int) throws(PersistenceError) -> Result {
    do {
      let field = try PrimeField(p)
      return try result(
        ExactCoboundaries(
          sheaf: sheaf, arithmetic: FieldArithmetic(ring: field),
          read: { matrix throws(UnreadableEntry) in try SparseColumns(matrix, over: field) },
          whole: { BigInt(field.symmetric($0)) }))
    } catch let error as NotAPrime {
      throw .coefficients(.notAPrime(error))
    } catch {
      throw Self.known(error)
    }
  }

  /// The result over ℚ, in machine integers as far as they reach.
  func rationalResult(_ sheaf: CellularSheaf) throws(PersistenceError) -> Result {
    do {
      do {
        return try result(sheaf, in: Integers())
      } catch is ArithmeticOverflow {
        return try result(sheaf, in: BigIntegers())
      }
    } catch {
      throw Self.known(error)
    }
  }

  private func result<Ring: IntegerRing>(_ sheaf: CellularSheaf, in ring: Ring) throws -> Result {
    try result(
      ExactCoboundaries(
        sheaf: sheaf, arithmetic: RationalArithmetic(ring: ring),
        read: { matrix throws(UnreadableEntry) in
          try SparseColumns(clearingDenominatorsOf: matrix, over: ring)
        }, whole: { BigInt($0) }))
  }

  private static func known(_ error: any Error) -> PersistenceError {
    guard let error = error as? PersistenceError else { preconditionFailure("\(error)") }
    return error
  }
}
