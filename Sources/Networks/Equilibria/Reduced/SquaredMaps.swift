import LinearAlgebra
import NeuralSheaves

/// The diagonal of R diag(v) Rᵀ for the affine edges of a network: their maps with squared entries.
struct SquaredMaps: Sendable {
  /// By edge: the operation with squared parameters, where it has any.
  private let operations: [(any NetworkOperation)?]
  /// Entries (row, column, squared value) of the others.
  private let entries: [[(row: Int32, column: Int32, square: Double)]]

  init(_ network: Network) {
    var (operations, entries):
      ([(any NetworkOperation)?], [[(row: Int32, column: Int32, square: Double)]]) =
        ([], [])
    for edge in network.edges {
      let operation = edge.operation
      var list: [(row: Int32, column: Int32, square: Double)] = []
      guard !operation.isStateDependent, !operation.parameters.isEmpty else {
        if !operation.isStateDependent {
          for row in operation.targetRows {
            operation.forEachEntry(ofRow: row, branch: 0) {
              list.append((Int32(row), Int32($0), $1 * $1))
            }
          }
        }
        operations.append(nil)
        entries.append(list)
        continue
      }
      var squared = operation
      squared.updateParameters { _, p in
        let factors = p
        p.multiply(elementwise: factors)
      }
      operations.append(squared)
      entries.append([])
    }
    (self.operations, self.entries) = (operations, entries)
  }

  /// y ← y + (R ∘ R) x.
  func add(_ e: Int, _ x: Matrix, into y: inout Matrix) {
    if let operation = operations[e] {
      operation.addLinearPart(x, at: .affine, scale: 1, keeping: 1, into: &y)
      return
    }
    for j in 0..<x.columns {
      for entry in entries[e] {
        y.elements[Int(entry.row) + j * y.rows] +=
          entry.square * x.elements[Int(entry.column) + j * x.rows]
      }
    }
  }
}
