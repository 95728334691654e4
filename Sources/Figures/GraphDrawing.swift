/// A drawing of a directed acyclic graph from top to bottom: boxes for vertices, arrows for edges,
/// coloured by kind, with a legend.
///
/// Long drawings are cut into columns that follow each other from left to right. The same graph
/// gives the same drawing, byte for byte.
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

    /// A box with two lines of text.
    public init(name: String, detail: String, kind: String) {
      self.name = name
      self.detail = detail
      self.kind = kind
    }
  }

  /// An arrow.
  public struct Edge: Sendable, Equatable {
    /// The index of the vertex where it starts.
    public var source: Int
    /// The index of the vertex where it ends, greater than `source`.
    public var target: Int
    /// A note beside the arrow; empty for none.
    public var label: String
    /// As of a vertex.
    public var kind: String

    /// An arrow between two vertices.
    public init(source: Int, target: Int, label: String = "", kind: String) {
      self.source = source
      self.target = target
      self.label = label
      self.kind = kind
    }
  }

  /// The boxes in topological order.
  public let vertices: [Vertex]
  /// The arrows.
  public let edges: [Edge]
  /// The heading; empty for none.
  public let title: String

  let layout: LayeredLayout
  /// The texts as shortened.
  let names, details, edgeLabels: [String]

  /// Lays the graph out.
  ///
  /// - Parameters:
  ///   - vertices: in topological order.
  ///   - edges: from a lower to a higher index; several between the same two vertices are drawn
  ///     side by side.
  ///   - title: the heading.
  public init(vertices: [Vertex], edges: [Edge], title: String) {
    for edge in edges {
      precondition(
        edge.source >= 0 && edge.source < edge.target && edge.target < vertices.count,
        "edge \(edge.source) → \(edge.target) among \(vertices.count) vertices in topological order"
      )
    }
    self.vertices = vertices
    self.edges = edges
    self.title = title
    names = vertices.map {
      Text.shortened($0.name, to: Style.widestText, size: Style.nameSize, isBold: true)
    }
    details = vertices.map {
      Text.shortened($0.detail, to: Style.widestText, size: Style.detailSize)
    }
    edgeLabels = edges.map {
      Text.shortened($0.label, to: Style.widestText, size: Style.labelSize)
    }
    let kinds = Style.kinds(vertices.map(\.kind) + edges.map(\.kind))
    layout = LayeredLayout(
      widths: zip(names, details).map { name, detail in
        max(
          Style.narrowestBox,
          Text.width(name, size: Style.nameSize, isBold: true) + 2 * Style.padding,
          Text.width(detail, size: Style.detailSize) + 2 * Style.padding)
      },
      edges: edges.map {
        LayeredGraph.Edge(
          source: $0.source, target: $0.target, bundle: kinds.firstIndex(of: $0.kind)!)
      },
      labelWidths: edgeLabels.map { Text.width($0, size: Style.labelSize) })
  }
}
