import CellComplexes
import LinearAlgebra

/// Values on some cells of a sheaf, each with the covariance of its error (Robinson 2017, Def. 8: a partial assignment).
///
/// An assignment is consistent if it is part of a global section.
public struct Assignment: Sendable, Equatable {
  /// The value of a cell.
  public struct Reading: Sendable, Equatable {
    /// The value in the coordinates of the stalk.
    public var values: [Double]
    /// Of its error.
    public var covariance: Covariance
    /// The unit, as text.
    public var unit: String?

    /// A reading; of unit variance if nothing is said.
    public init(_ values: [Double], covariance: Covariance = .scalar(1), unit: String? = nil) {
      (self.values, self.covariance, self.unit) = (values, covariance, unit)
    }
  }

  /// The readings by cell.
  public var readings: [Int: Reading]

  /// An assignment.
  public init(_ readings: [Int: Reading] = [:]) { self.readings = readings }

  /// The values of cells, with unit variances.
  public init(values: [Int: [Double]]) { readings = values.mapValues { Reading($0) } }

  /// The cells that have a reading, ascending.
  public var cells: [Int] { readings.keys.sorted() }

  /// The assignment without some cells.
  public func without(_ cells: some Sequence<Int>) -> Assignment {
    var result = self
    for cell in cells { result.readings[cell] = nil }
    return result
  }

  /// Checks readings against the stalks of a sheaf.
  ///
  /// - Throws: `unknownCell`, `length`, `notFinite`, `covariance`, for the first cell that is wrong.
  func check(
    cells: Int, name: (Int) -> String, stalk: (Int) -> Int
  ) throws(InferenceError) {
    for cell in self.cells {
      let reading = readings[cell]!
      guard (0..<cells).contains(cell) else { throw .unknownCell("\(cell)") }
      guard reading.values.count == stalk(cell) else {
        throw .length(cell: name(cell), found: reading.values.count, expected: stalk(cell))
      }
      if let bad = reading.values.first(where: { !$0.isFinite }) {
        throw .notFinite(cell: name(cell), found: bad)
      }
      if let problem = reading.covariance.problem(on: stalk(cell)) {
        throw .covariance(cell: name(cell), found: problem.found, expected: problem.expected)
      }
    }
  }
}
