import LinearAlgebra
import SheafPersistence

extension NeuronGraph {
  /// When neurons appear.
  public enum Appearance: Sendable, CaseIterable {
    /// All at 0, as in the paper: every bar begins there, and their ends are the values of a spanning tree of the strongest connections.
    case atStart
    /// Each with its strongest connection; one without any never does.
    case withConnections
  }

  /// The weight whose value is 0.
  public enum Reference: Sendable, CaseIterable {
    /// The largest of the network, as in the paper.
    case network
    /// The largest of the layer: values do not depend on how scales are shared out over layers.
    case layer
  }

  /// The barcode of H⁰ of a layer's graph: components, with the values at which they join.
  ///
  /// Cost: sorting the connections, and a union–find over them. Components that never join have bars without end.
  public func barcode(
    ofLayer k: Int, relativeTo reference: Reference = .network,
    appearing appearance: Appearance = .atStart
  ) -> Barcode {
    let layer = layers[k]
    let largest = reference == .network ? largestWeight : layer.largestWeight
    return Barcode(
      components(
        connections[layer.connections], of: layer.neurons, largest, appearance,
        source: { $0.source - layer.sourceShift }, target: { $0.target - layer.targetShift }
      ).map { PersistenceInterval(degree: 0, birth: $0.birth, death: $0.death) })
  }

  /// The barcode of H⁰ of the whole network's graph, neurons joined by wiring being one.
  public func barcode(appearing appearance: Appearance = .atStart) -> Barcode {
    Barcode(
      wholeComponents(appearance).map {
        PersistenceInterval(degree: 0, birth: $0.birth, death: $0.death)
      })
  }

  func wholeComponents(_ appearance: Appearance) -> [(birth: Double, death: Double)] {
    let neurons = neurons
    return components(
      connections[...], of: neuronCount, largestWeight, appearance,
      source: { neurons[Int($0.source)] }, target: { neurons[Int($0.target)] })
  }

  /// The bars of the components, those without length included: Kruskal's algorithm with the elder rule.
  func components(
    _ connections: ArraySlice<Connection>, of count: Int, _ largest: Double,
    _ appearance: Appearance, source: (Connection) -> Int32, target: (Connection) -> Int32
  ) -> [(birth: Double, death: Double)] {
    struct Joint {
      let value: Double
      let a: Int32
      let b: Int32
    }
    var joints: [Joint] = []
    joints.reserveCapacity(connections.count)
    for c in connections {
      let value = largest > 0 ? 1 - c.weight / largest : 1
      joints.append(Joint(value: value, a: source(c), b: target(c)))
    }
    joints.sort { $0.value < $1.value }
    var births = [Double](
      repeating: appearance == .atStart ? 0 : .infinity, count: count)
    if appearance == .withConnections {
      for joint in joints {
        births[Int(joint.a)] = min(births[Int(joint.a)], joint.value)
        births[Int(joint.b)] = min(births[Int(joint.b)], joint.value)
      }
    }
    var sets = DisjointSets(count: count)
    var bars: [(birth: Double, death: Double)] = []
    bars.reserveCapacity(count)
    for joint in joints {
      let (a, b) = (sets.root(Int(joint.a)), sets.root(Int(joint.b)))
      guard sets.join(a, b) else { continue }
      bars.append((max(births[a], births[b]), joint.value))
      births[sets.root(a)] = min(births[a], births[b])
      if bars.count == count - 1 { break }
    }
    for i in 0..<count where sets.root(i) == i && births[i] < .infinity {
      bars.append((births[i], .infinity))
    }
    return bars
  }
}
