import LinearAlgebra

/// Coboundaries δ_0, δ_1, … with exact entries, δδ = 0 having been checked.
struct ExactComplex<Ring: CoefficientRing>: Sendable {
  let ring: Ring
  /// n_0, n_1, …
  let dimensions: [Int]
  /// δ_k is (n_{k+1}, n_k).
  let coboundaries: [SparseColumns<Ring.Element>]

  /// Checks shapes and δδ = 0.
  ///
  /// Cost: Σ over the entries of δ_k of the entries of the column of δ_{k+1} that they meet.
  init(
    over ring: Ring, dimensions: [Int], _ coboundaries: [SparseMatrix],
    reading read: (SparseMatrix) throws(UnreadableEntry) -> SparseColumns<Ring.Element>
  ) throws(ReadingFailure) {
    guard coboundaries.count == max(0, dimensions.count - 1) else {
      throw .complex(.count(dimensions: dimensions.count, coboundaries: coboundaries.count))
    }
    for (k, matrix) in coboundaries.enumerated()
    where matrix.rows != dimensions[k + 1] || matrix.columns != dimensions[k] {
      throw .complex(
        .shape(
          degree: k, rows: matrix.rows, columns: matrix.columns,
          expectedRows: dimensions[k + 1], expectedColumns: dimensions[k]))
    }
    var exact: [SparseColumns<Ring.Element>] = []
    for (k, matrix) in coboundaries.enumerated() {
      do {
        exact.append(try read(matrix))
      } catch {
        throw error.overflows ? .overflow : .complex(.entry(degree: k, error))
      }
    }
    (self.ring, self.dimensions, self.coboundaries) = (ring, dimensions, exact)
    for k in exact.indices.dropLast() { try checkSquare(k) }
  }

  /// What keeps a complex from being read: itself, or numbers too small for it.
  enum ReadingFailure: Error {
    case complex(CochainComplexError)
    case overflow
  }

  /// δ_{k+1} δ_k = 0, column by column.
  private func checkSquare(_ k: Int) throws(ReadingFailure) {
    let (first, second) = (coboundaries[k], coboundaries[k + 1])
    var sums = [Ring.Element](repeating: ring.zero, count: second.rows)
    var touched: [Int32] = []
    for j in 0..<first.columns {
      for l in first.columnStarts[j]..<first.columnStarts[j + 1] {
        let (middle, factor) = (Int(first.rowIndices[l]), first.values[l])
        for m in second.columnStarts[middle]..<second.columnStarts[middle + 1] {
          let i = second.rowIndices[m]
          touched.append(i)
          do {
            sums[Int(i)] = try ring.difference(
              sums[Int(i)], minus: ring.negative(second.values[m]), times: factor)
          } catch {
            throw .overflow
          }
        }
      }
      for i in touched where sums[Int(i)] != ring.zero {
        throw .complex(
          .notZero(degree: k, row: Int(i), column: j, value: "\(sums[Int(i)])"))
      }
      touched.removeAll(keepingCapacity: true)
    }
  }
}
