import LinearAlgebra

/// Directions of a freed input that the pins and the face leave undetermined.
public struct InputFreedom: Sendable, Equatable {
  /// Their dimension.
  public let dimension: Int
  /// The coordinates of the input that they move.
  public let coordinates: [Int]
  /// An orthonormal basis of the directions that are determined, (n, rank), in the open coordinates.
  let determined: Matrix

  /// Equal dimensions and coordinates.
  public static func == (a: InputFreedom, b: InputFreedom) -> Bool {
    a.dimension == b.dimension && a.coordinates == b.coordinates
  }
}
