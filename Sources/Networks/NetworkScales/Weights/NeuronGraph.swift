import LinearAlgebra
import NeuralSheaves

/// The neurons of a network and their connections, each with the value
///
///     1 − |w| / max |w|,
///
/// so that the strongest come first: a filtration of the graph by weights (Rieck, Togninalli, Bock, Moor, Horn, Gumbsch, Borgwardt, *Neural
/// persistence*, ICLR 2019, §3, who count 1 down to |w| / max |w|; the bars have the same lengths).
///
/// A layer is an edge of the network with trained weights: dense, or a convolution as its sparse matrix; its graph joins the coordinates of
/// its source to those that it determines, one connection for each entry of the matrix, entries 0 included. Offsets do not
/// count. All else is wiring: activations, pooling, junctions, sums, normalisation. In the graph of the whole network the coordinates that
/// wiring joins are one neuron, so that z_i and a_i are, a window's pixels and its maximum, and what a residual sum adds up.
public struct NeuronGraph: Sendable {
  /// One layer of weights.
  public struct Layer: Sendable, Equatable {
    /// The edge of the network.
    public let edge: Int
    /// Its name.
    public let name: String
    /// How many neurons it joins: the coordinates of its source and those that it determines.
    public let neurons: Int
    /// Where its connections are in the list of all.
    let connections: Range<Int>
    /// What to take from coordinates of the source, and from those of the target, to count them from 0.
    let sourceShift: Int32
    let targetShift: Int32

    /// How many connections it has.
    public var connectionCount: Int { connections.count }
    /// The largest and the smallest |w|.
    public let largestWeight: Double
    public let smallestWeight: Double
  }

  /// The layers, in the order of the network.
  public let layers: [Layer]
  /// max |w| over all of them.
  public let largestWeight: Double
  /// The number of neurons of the whole network, after wiring.
  public let neuronCount: Int
  /// The neuron of each coordinate.
  let neurons: [Int32]
  /// |w| with the coordinates that it joins, layer by layer.
  let connections: [Connection]

  /// One entry of a layer's matrix.
  struct Connection: Sendable {
    var weight: Double
    let source: Int32
    let target: Int32
  }

  /// The graph of a network's weights.
  ///
  /// - Throws: `quantity` for a weight that is not finite.
  /// - Complexity: proportional to the entries of all operations; 16 bytes for a connection.
  public init(_ network: Network) throws(ScaleError) {
    var starts = [0]
    for vertex in network.vertices { starts.append(starts.last! + vertex.dimension) }
    var wiring = DisjointSets(count: starts.last!)
    var connections: [Connection] = []
    var layers: [Layer] = []
    for (e, edge) in network.edges.enumerated() {
      let operation = edge.operation
      let (source, target) = (starts[edge.source], starts[edge.target])
      guard operation.isWeighted else {
        operation.forEachWire { row, column in wiring.join(source + column, target + row) }
        continue
      }
      let first = connections.count
      connections.reserveCapacity(first + operation.targetRows.count * operation.entriesPerRow)
      // Where the entry of a source coordinate in this row is, as entries of one place add up.
      var latest = [Int](repeating: -1, count: operation.sourceDimension)
      for row in operation.targetRows {
        let start = connections.count
        operation.forEachEntry(ofRow: row, branch: 0) { column, w in
          if latest[column] >= start {
            connections[latest[column]].weight += w
          } else {
            latest[column] = connections.count
            connections.append(
              Connection(weight: w, source: Int32(source + column), target: Int32(target + row)))
          }
        }
      }
      var (most, least) = (0.0, Double.infinity)
      for i in first..<connections.count {
        let w = abs(connections[i].weight)
        guard w.isFinite else {
          throw .quantity(
            name: "a weight of edge \(network.edgeName(e))", found: "\(connections[i].weight)",
            expected: "a finite number")
        }
        connections[i].weight = w
        (most, least) = (max(most, w), min(least, w))
      }
      layers.append(
        Layer(
          edge: e, name: network.edgeName(e),
          neurons: operation.sourceDimension + operation.targetRows.count,
          connections: first..<connections.count, sourceShift: Int32(source),
          targetShift: Int32(
            target + operation.targetRows.lowerBound - operation.sourceDimension),
          largestWeight: most, smallestWeight: most == 0 ? 0 : least))
    }
    // Neurons are numbered by their first coordinates.
    var neurons = [Int32](repeating: -1, count: starts.last!)
    var count: Int32 = 0
    for i in neurons.indices {
      let root = wiring.root(i)
      if root == i {
        neurons[i] = count
        count += 1
      } else {
        neurons[i] = neurons[root]
      }
    }
    (self.layers, self.connections, self.neurons) = (layers, connections, neurons)
    neuronCount = Int(count)
    largestWeight = layers.reduce(0) { max($0, $1.largestWeight) }
  }
}

extension NetworkOperation {
  /// Whether it has trained weights between coordinates, which scales of normalisations are not.
  fileprivate var isWeighted: Bool {
    kind == .affine && parameterNames.first == "weight"
  }

  /// The pairs (row, source coordinate) that some branch of it joins.
  fileprivate func forEachWire(_ visit: (Int, Int) -> Void) {
    for row in targetRows {
      for branch in 0..<(isStateDependent ? branchCount(ofRow: row) : 1) {
        forEachEntry(ofRow: row, branch: branch) { column, _ in visit(row, column) }
      }
    }
  }
}
