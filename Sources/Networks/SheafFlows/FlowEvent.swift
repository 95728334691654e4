/// Something that happens to a coordinate of an exact flow where the linear flow changes.
public struct FlowEvent: Sendable, Equatable {
  /// What happens.
  public enum Kind: String, Sendable {
    /// The coordinate passes from one branch into another.
    case crossing
    /// The forces on both sides point at the boundary: from here on the coordinate rests on it, or moves
    /// as one with the coordinate it is tied with.
    case sliding
    /// A force on one side has turned: the coordinate leaves the boundary on that side.
    case release
  }

  /// The flow time.
  public let time: Double
  /// The vertex of the coordinate.
  public let vertex: Int
  /// The coordinate within the vertex's stalk.
  public let neuron: Int
  /// The sample.
  public let sample: Int
  /// What happens.
  public let kind: Kind
}
