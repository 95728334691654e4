import LinearAlgebra

/// A feedforward network as a directed acyclic graph: one vertex per intermediate quantity, one
/// edge per piecewise affine operation, both in topological order, and a smooth output activation.
///
/// Vertex 0 is the input x. Every other vertex meets its incoming edges in coordinate projections
/// that together are the identity of its stalk; for all but junctions that is a single edge.
/// Parameters live in the operations and may be changed in place.
public struct Network: Sendable {
  /// One intermediate quantity.
  public struct Vertex: Sendable, Equatable {
    /// `x`; `z1`, … for affine, `a1`, … for activated, `p1`, … for pooled quantities; `j1`, … for
    /// junctions.
    public let name: String
    /// The dimension of its stalk.
    public let dimension: Int
    /// ℓ for z_ℓ and a_ℓ, 0 for the input: the most affine operations on a path from the input.
    public let layer: Int
  }

  /// One operation between two quantities.
  public struct Edge: Sendable {
    /// The vertex that the operation reads.
    public let source: Int
    /// The vertex that it determines, wholly or in part.
    public let target: Int
    /// The operation.
    public var operation: any NetworkOperation
  }

  /// One tensor of a file that several operations take their parameters from.
  public struct SharedParameter: Sendable, Equatable {
    /// Its name in the file.
    public let name: String
    /// The edges whose operations it is in, ascending.
    public let edges: [Int]
  }

  /// The vertices in topological order, the input first, z_{k+1} last.
  public private(set) var vertices: [Vertex]
  /// The edges, ordered by their targets.
  public private(set) var edges: [Edge] = []
  /// The edges into each vertex, and those out of it, ascending.
  public private(set) var incoming: [Range<Int>] = [0..<0]
  public private(set) var outgoing: [[Int]] = [[]]
  /// φ in a_{k+1} = φ(z_{k+1}).
  public var outputActivation: OutputActivation

  /// What each output coordinate stands for, such as the classes of a classifier; empty where nobody
  /// said.
  public var classNames: [String] = [] {
    didSet {
      precondition(
        classNames.isEmpty || classNames.count == outputDimension,
        "\(classNames.count) names for \(outputDimension) outputs")
    }
  }

  /// Other names of vertices, such as those of the tensors in a file.
  public private(set) var aliases: [String: Int] = [:]

  /// Parameters that several operations share. The operations hold copies of them, so they cannot be
  /// trained.
  public private(set) var sharedParameters: [SharedParameter] = []

  /// The number of vertices of each letter so far, for names.
  private var named: [String: Int] = [:]

  /// A network with an input of the given dimension and no operation yet.
  public init(inputDimension: Int, outputActivation: OutputActivation = .identity) {
    precondition(inputDimension > 0, "input dimension \(inputDimension)")
    vertices = [Vertex(name: "x", dimension: inputDimension, layer: 0)]
    self.outputActivation = outputActivation
  }

  /// Appends the vertex P(source) and its edge; returns the new vertex.
  @discardableResult
  public mutating func append(_ operation: any NetworkOperation, to source: Int) -> Int {
    precondition(
      operation.sourceDimension == vertices[source].dimension
        && operation.targetRows.count == operation.targetDimension,
      "\(operation.kind) operation of dimension \(operation.sourceDimension) on "
        + "\(vertices[source].name) of dimension \(vertices[source].dimension)")
    let letter =
      switch operation.kind {
      case .affine: "z"
      case .pooling: "p"
      case .activation, .junction, .output: "a"
      }
    addVertex(
      letter, dimension: operation.targetDimension,
      layer: vertices[source].layer + (operation.kind == .affine ? 1 : 0))
    addEdge(operation, from: source)
    return vertices.count - 1
  }

  /// Appends the direct sum of several vertices with one edge for each; returns the junction.
  @discardableResult
  public mutating func appendJunction(of sources: [Int]) -> Int {
    appendJunction(of: sources.map { (source: $0, order: nil) })
  }

  /// Appends the direct sum of several vertices, each with its coordinates in the order given (see
  /// `Relabelled`) or in its own; returns the junction.
  @discardableResult
  public mutating func appendJunction(of parts: [(source: Int, order: [Int32]?)]) -> Int {
    precondition(!parts.isEmpty, "a junction of nothing")
    let sizes = parts.map { $0.order?.count ?? vertices[$0.source].dimension }
    let dimension = sizes.reduce(0, +)
    addVertex("j", dimension: dimension, layer: parts.map { vertices[$0.source].layer }.max()!)
    var start = 0
    for (part, size) in zip(parts, sizes) {
      let block = Inclusion(rows: start..<start + size, of: dimension)
      start += size
      addEdge(
        part.order.map {
          Relabelled(block, order: $0, sourceDimension: vertices[part.source].dimension)
        } ?? block, from: part.source)
    }
    return vertices.count - 1
  }

  /// Gives a vertex another name that `vertex(named:)` knows; `vertices.count` stands for a_{k+1}.
  public mutating func addAlias(_ name: String, of vertex: Int) {
    precondition((0...vertices.count).contains(vertex), "vertex \(vertex) of \(vertices.count)")
    aliases[name] = vertex
  }

  /// Says that several edges share a parameter.
  public mutating func addSharedParameter(_ name: String, edges shared: [Int]) {
    precondition(
      shared.count > 1 && shared.allSatisfy { edges.indices.contains($0) }, "edges \(shared)")
    sharedParameters.append(SharedParameter(name: name, edges: shared))
  }

  /// Takes a name given by `addAlias` away.
  public mutating func removeAlias(_ name: String) { aliases[name] = nil }

  /// Appends the vertices and edges of another network behind the last vertex, which is its input.
  mutating func append(contentsOf other: Network) {
    let (last, layer) = (lastVertex, vertices[lastVertex].layer)
    precondition(vertices[last].dimension == other.inputDimension)
    for (v, vertex) in other.vertices.enumerated().dropFirst() {
      addVertex(
        String(vertex.name.prefix(1)), dimension: vertex.dimension, layer: layer + vertex.layer)
      for edge in other.edges[other.incoming[v]] {
        addEdge(edge.operation, from: last + edge.source)
      }
    }
  }

  /// Puts another operation of the same dimensions on an edge.
  package mutating func replaceOperation(of e: Int, by new: any NetworkOperation) {
    precondition(
      new.sourceDimension == edges[e].operation.sourceDimension
        && new.targetDimension == edges[e].operation.targetDimension
        && new.targetRows == edges[e].operation.targetRows)
    edges[e].operation = new
  }

  private mutating func addVertex(_ letter: String, dimension: Int, layer: Int) {
    // The activation of z_ℓ is a_ℓ on a chain; in general each letter counts on its own.
    named[letter, default: 0] += 1
    vertices.append(
      Vertex(name: "\(letter)\(named[letter]!)", dimension: dimension, layer: layer))
    incoming.append(edges.count..<edges.count)
    outgoing.append([])
  }

  /// An edge into the last vertex.
  private mutating func addEdge(_ operation: any NetworkOperation, from source: Int) {
    outgoing[source].append(edges.count)
    edges.append(Edge(source: source, target: lastVertex, operation: operation))
    incoming[lastVertex] = incoming[lastVertex].lowerBound..<edges.count
  }

  /// Visits the parameters of edge `edge` in place.
  public mutating func updateParameters(of edge: Int, _ update: (Int, inout Matrix) -> Void) {
    edges[edge].operation.updateParameters(update)
  }

  /// Moves the parameters of edge `edge` by scale · (derivative of ⟨v, P(s)⟩ in them), in place.
  public mutating func moveParameters(
    of edge: Int, along v: Matrix, source: Matrix, scale: Double, threads: Int = 1
  ) {
    edges[edge].operation.moveParameters(along: v, source: source, scale: scale, threads: threads)
  }
}

extension Network {
  /// n₀.
  public var inputDimension: Int { vertices[0].dimension }
  /// n_{k+1}.
  public var outputDimension: Int { vertices[vertices.count - 1].dimension }
  /// The vertex z_{k+1}.
  public var lastVertex: Int { vertices.count - 1 }
  /// dim Ω = Σ over all vertices but the input.
  public var freeDimension: Int { vertices.dropFirst().reduce(0) { $0 + $1.dimension } }
  /// Multiplications of a forward pass, per sample.
  public var cost: Int { edges.reduce(0) { $0 + $1.operation.cost } }
  /// The number of trainable numbers.
  public var parameterCount: Int {
    edges.reduce(0) { $0 + $1.operation.parameters.reduce(0) { $0 + $1.count } }
  }
  /// The name of the last vertex of all: z_{k+1}, or a_{k+1} when φ is not the identity.
  public var outputName: String {
    outputActivation == .identity ? vertices[lastVertex].name : "a\(named["a", default: 0] + 1)"
  }

  /// The name of an edge: that of the vertex it determines, with its source for a junction, and with
  /// its block where the source has several.
  public func edgeName(_ e: Int) -> String {
    let edge = edges[e]
    let name = vertices[edge.target].name
    let rows = edge.operation.targetRows
    guard rows.count < edge.operation.targetDimension else { return name }
    let isTwin = { (other: Int) in
      edges.indices.contains(other) && edges[other].source == edge.source
        && edges[other].target == edge.target
    }
    let block = isTwin(e - 1) || isTwin(e + 1) ? "[\(rows.lowerBound):\(rows.upperBound)]" : ""
    return "\(vertices[edge.source].name)→\(name)\(block)"
  }

  /// The vertex called `name`: by its own name, `output`, or an alias, which `tensor:NAME` asks for.
  /// `vertices.count` stands for a_{k+1}.
  ///
  /// - Throws: for a name that is none, or that is one vertex's own and another's alias.
  public func vertex(named name: String) throws(NetworkError) -> Int {
    var own = vertices.firstIndex { $0.name == name }
    if own == nil && (name == "output" || name == outputName) {
      own = outputActivation == .identity ? lastVertex : vertices.count
    }
    let tensor = "tensor:"
    let alias = aliases[name.hasPrefix(tensor) ? String(name.dropFirst(tensor.count)) : name]
    if let own, let alias, own != alias {
      throw .ambiguousVertex(
        name: name, other: alias < vertices.count ? vertices[alias].name : outputName)
    }
    if let v = own ?? alias { return v }
    let valid = vertices.map(\.name) + ["output"]
    throw .unknownVertex(
      name: name, valid: valid,
      nearest: name.nearest(among: valid + aliases.keys.sorted()))
  }
}
