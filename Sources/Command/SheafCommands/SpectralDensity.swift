import Figures
import LinearAlgebra
import SheafDiagnostics

/// How the eigenvalues of all samples are distributed.
struct SpectralDensity {
  /// Of cells of equal ratio.
  let edges: [Double]
  let shares: [Double]

  /// nil without measures.
  init?(_ measures: [SpectralMeasure]) {
    let nodes = measures.flatMap(\.nodes)
    guard !nodes.isEmpty else { return nil }
    let edges = Histogram(logarithmic: nodes, cells: 20).edges
    // The last cell holds its upper end.
    let cells = edges.dropLast() + [edges.last! * (1 + 1e-9)]
    let all = measures.map { $0.shares(between: Array(cells)) }
    self.edges = edges
    shares = (0..<edges.count - 1).map { k in
      all.reduce(0) { $0 + $1[k] } / Double(measures.count)
    }
  }

  var json: [String: Any] { ["edges": edges, "shares": shares] }

  var text: String {
    TextOutput.table(
      [["eigenvalues from", "to", "share"]]
        + shares.indices.map { k in
          [
            TextOutput.number(edges[k]), TextOutput.number(edges[k + 1]),
            TextOutput.number(shares[k]),
          ]
        })
  }

  var panel: Panel {
    Panel(
      "share of the eigenvalues", x: Axis("eigenvalue", scale: .logarithmic), y: Axis(),
      layers: [.histogram(edges: edges, counts: shares)])
  }
}
