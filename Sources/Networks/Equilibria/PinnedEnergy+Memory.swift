import Foundation
import NeuralSheaves
import PiecewiseEnergies

/// What the methods keep, known before any work.
extension PinnedEnergy {
  /// The bytes of the Schur complement of one sample's pins and of the responses of its rows: a row at a vertex has
  /// entries at all that leads there. Kinks come on top of it.
  var schurBytes: Double {
    let network = sheaf.network
    var numbers = pow(Double(rowCount), 2)
    var ancestors = network.vertices.map { _ in Set<Int>() }
    for v in network.vertices.indices.dropFirst() {
      for e in network.incoming[v] {
        let s = network.edges[e].source
        ancestors[v].formUnion(ancestors[s])
        if s > 0 || inputRole == .free { ancestors[v].insert(s) }
      }
      var rows = pins.held(v).count + pins.soft(v).reduce(0) { $0 + $1.rows.count }
      if v == network.lastVertex && output != nil { rows += network.outputDimension }
      let above = ancestors[v].reduce(0) { $0 + network.vertices[$1].dimension }
      numbers += Double(rows) * Double(above)
    }
    return 8 * numbers
  }

  /// The bytes of as many states of one sample, cochains and cells among them.
  func bytes(states: Int) -> Double {
    8 * Double(states) * Double(sheaf.network.vertices.reduce(0) { $0 + $1.dimension })
  }

  /// Refuses what this machine has not the memory for.
  func checkMemory(
    _ bytes: Double, for method: String, of what: String
  ) throws(EquilibriumError) {
    let available = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes > available else { return }
    throw .memory(method: method, what: what, needed: bytes, available: available)
  }
}
