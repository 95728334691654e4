/// A drawing of a directed acyclic graph from top to bottom: boxes for vertices, arrows for edges,
/// coloured by kind, with a legend. Graphviz lays it out (`Graphviz.draw`).
public struct GraphDrawing: Sendable {
  /// A box.
  public struct Vertex: Sendable, Equatable {
    /// The upper line, in bold.
    public var name: String
    /// The lower line, such as a dimension.
    public var detail: String
    /// What the colour stands for: `input`, `affine`, `activation`, `pooling`, `junction` or
    /// `output`; other kinds share one colour.
    public var kind: String
    /// Where the box leads, such as `#place`; nil for nowhere.
    public var link: String?

    /// A box with two lines of text.
    public init(name: String, detail: String, kind: String, link: String? = nil) {
      self.name = name
      self.detail = detail
      self.kind = kind
      self.link = link
    }
  }

  /// An arrow.
  public struct Edge: Sendable, Equatable {
    /// The index of the vertex where it starts.
    public var source: Int
    /// The index of the vertex where it ends.
    public var target: Int
    /// A note beside the arrow; empty for none.
    public var label: String
    /// As of a vertex.
    public var kind: String
    /// How much the arrow stands out, from 0, thin and grey, to 1, thick and red; nil for the colour of its kind.
    public var emphasis: Double?

    /// An arrow between two vertices.
    public init(
      source: Int, target: Int, label: String = "", kind: String, emphasis: Double? = nil
    ) {
      self.source = source
      self.target = target
      self.label = label
      self.kind = kind
      self.emphasis = emphasis
    }
  }

  /// The boxes.
  public let vertices: [Vertex]
  /// The arrows.
  public let edges: [Edge]
  /// The heading; empty for none.
  public let title: String

  /// A drawing of vertices, and edges between their indices.
  public init(vertices: [Vertex], edges: [Edge], title: String) {
    for edge in edges {
      precondition(
        vertices.indices.contains(edge.source) && vertices.indices.contains(edge.target),
        "edge \(edge.source) → \(edge.target) among \(vertices.count) vertices")
    }
    self.vertices = vertices
    self.edges = edges
    self.title = title
  }
}
