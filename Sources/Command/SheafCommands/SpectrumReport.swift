import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics

/// What `sheaf spectrum` says.
struct SpectrumReport {
  let spectrum: SheafSpectrum
  let density: SpectralDensity?
  /// How many eigenvalues at either end were asked for.
  let pairs: Int
  /// Whether all were.
  let isFull: Bool

  /// All eigenvalues of the samples, or their ends.
  var panel: Panel {
    if let density { return density.panel }
    func points(_ name: String, _ lists: [[Double]]) -> Layer {
      .points(
        x: lists.indices.flatMap { j in lists[j].map { _ in Double(j) } }, y: lists.flatMap { $0 },
        label: name)
    }
    let samples = spectrum.samples
    return Panel(
      "eigenvalues by sample", x: Axis("sample"), y: Axis(scale: .logarithmic),
      legend: .topRight,
      layers: isFull
        ? [points("all", samples.map { $0.eigenvalues ?? [] })]
        : [
          points("gap", samples.map { [$0.gap] }),
          points("largest", samples.map { [$0.top.value] }),
        ])
  }

  private func median(_ value: (SampleSpectrum) -> Double) -> Double? {
    Statistics(spectrum.samples.map(value)).median
  }

  private func means(_ end: SheafSpectrum.End) -> [(String, Double)] {
    spectrum.blockEnergies(end).map { ($0.block, Statistics($0.energies).mean ?? .nan) }
  }

  var json: [String: Any] {
    func triple(_ gap: Double?, _ largest: Double?, _ condition: Double?) -> [String: Any] {
      [
        "gap": JSONOutput.number(gap), "largest": JSONOutput.number(largest),
        "condition": JSONOutput.number(condition),
      ]
    }
    func energies(_ end: SheafSpectrum.End) -> [String: Any] {
      Dictionary(
        uniqueKeysWithValues: means(end).map { ($0.0, JSONOutput.number($0.1)) })
    }
    var object: [String: Any] = [
      "samples": spectrum.samples.map { s in
        var object = triple(s.gap, s.top.value, s.condition)
        object["status"] = s.status.rawValue
        object["iterations"] = s.iterations
        object["residual"] = JSONOutput.number(max(s.fiedler.residual, s.top.residual))
        object["multiplicity"] = ["gap": s.fiedler.dimension, "largest": s.top.dimension]
        if pairs > 1 {
          object["pairs"] = ["smallest": s.smallest, "largest": s.largest]
        }
        if isFull { object["eigenvalues"] = s.eigenvalues ?? [] }
        return object
      },
      "median": triple(
        median(\.gap), median(\.top.value), median(\.condition)),
      "logDeterminant": JSONOutput.number(spectrum.logDeterminant),
      "fiedlerEnergy": energies(.fiedler), "topEnergy": energies(.top),
      "fiedlerStability": JSONOutput.number(spectrum.stability(.fiedler)),
      "topStability": JSONOutput.number(spectrum.stability(.top)),
    ]
    if let density { object["density"] = density.json }
    return object
  }

  var text: String {
    let n = TextOutput.number
    let m = { (value: (SampleSpectrum) -> Double) in n(median(value) ?? .nan) }
    let count = spectrum.samples.count
    var lines = [
      "\(count) \(count == 1 ? "sample" : "samples"): median gap \(m { $0.gap }), largest "
        + "\(m { $0.top.value }), condition \(m { $0.condition }), log determinant "
        + n(spectrum.logDeterminant)
    ]
    if let fiedler = spectrum.stability(.fiedler), let top = spectrum.stability(.top) {
      lines.append("stability: Fiedler \(n(fiedler)), top \(n(top))")
    }
    var blocks = [["stalk", "Fiedler", "top"]]
    for ((block, fiedler), (_, top)) in zip(means(.fiedler), means(.top)) {
      blocks.append([block, n(fiedler), n(top)])
    }
    lines += ["", TextOutput.table(blocks), ""]
    var rows = [["sample", "gap", "largest", "condition"]]
    for (j, s) in spectrum.samples.prefix(20).enumerated() {
      rows.append(["\(j)", n(s.gap), n(s.top.value), n(s.condition)])
    }
    lines.append(TextOutput.table(rows))
    if spectrum.samples.count > 20 { lines.append("… all with --json") }
    if let density { lines += ["", density.text] }
    return lines.joined(separator: "\n")
  }
}
