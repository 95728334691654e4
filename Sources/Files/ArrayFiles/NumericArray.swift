import LinearAlgebra

/// An array of numbers of any shape, in C (row-major) order, as files hold it.
public struct NumericArray: Sendable, Equatable {
  /// The extent of each axis; empty for a scalar.
  public let shape: [Int]
  /// The elements in row-major order.
  public let elements: [Double]

  /// An array from its elements in row-major order.
  public init(shape: [Int], elements: [Double]) {
    precondition(
      shape.reduce(1, *) == elements.count, "\(elements.count) elements for shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// A matrix as an array of shape (rows, columns).
  public init(_ m: Matrix) {
    self.init(shape: [m.rows, m.columns], elements: m.rowMajor)
  }

  /// One row per sample: a quantity of shape (dim, batch) as an array of shape (batch, dim).
  public init(samples m: Matrix) {
    self.init(shape: [m.columns, m.rows], elements: m.elements)
  }

  /// The array as a matrix: two axes as they stand, one axis as a column; nil for more.
  public var matrix: Matrix? {
    switch shape.count {
    case 0: Matrix(column: elements)
    case 1: Matrix(column: elements)
    case 2: Matrix(rows: shape[0], columns: shape[1], rowMajor: elements)
    default: nil
    }
  }

  /// The array as samples, one per row, turned into a quantity of shape (dim, batch). One axis is
  /// one sample; axes after the first two are flattened.
  public var samples: Matrix {
    if shape.count <= 1 { return Matrix(column: elements) }
    return Matrix(
      rows: shape.dropFirst().reduce(1, *), columns: shape[0], columnMajor: elements)
  }
}
