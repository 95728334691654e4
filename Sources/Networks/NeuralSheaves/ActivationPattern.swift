/// The activation pattern of one operation over a batch: for every coordinate of its target and
/// every sample, the affine branch on which the operation acts there.
///
/// Branches are numbered from the left: for ReLU 0 is inactive and 1 active. An affine operation
/// has one branch and an empty pattern.
public struct ActivationPattern: Sendable, Equatable {
  /// The dimension of the target; 0 for an affine operation.
  public let dimension: Int
  /// The number of samples.
  public let batch: Int
  /// The branch of coordinate i of sample j at `i + j * dimension`.
  public internal(set) var branches: [UInt16]

  /// The pattern in which every coordinate is on branch 0.
  public init(dimension: Int, batch: Int) {
    self.dimension = dimension
    self.batch = batch
    branches = [UInt16](repeating: 0, count: dimension * batch)
  }

  private init(dimension: Int, branches: [UInt16]) {
    self.dimension = dimension
    batch = branches.count / dimension
    self.branches = branches
  }

  /// The empty pattern of an affine operation.
  public static let affine = ActivationPattern(dimension: 0, batch: 0)

  /// The branch of coordinate `i` of sample `j`.
  public subscript(i: Int, j: Int) -> Int {
    get { Int(branches[i + j * dimension]) }
    set { branches[i + j * dimension] = UInt16(newValue) }
  }

  /// The pattern of sample `j` alone.
  public func sample(_ j: Int) -> ActivationPattern { samples([j]) }

  /// Sample j takes the branches that it has in another pattern of this shape.
  public mutating func setSample(_ j: Int, to other: ActivationPattern) {
    let range = j * dimension..<(j + 1) * dimension
    branches.replaceSubrange(range, with: other.branches[range])
  }

  /// The patterns of the given samples, in their order, repetitions allowed.
  public func samples(_ indices: [Int]) -> ActivationPattern {
    guard dimension > 0 else { return .affine }
    var chosen: [UInt16] = []
    chosen.reserveCapacity(dimension * indices.count)
    for j in indices { chosen += branches[j * dimension..<(j + 1) * dimension] }
    return ActivationPattern(dimension: dimension, branches: chosen)
  }
}
