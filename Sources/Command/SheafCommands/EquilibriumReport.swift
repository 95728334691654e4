import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// What `sheaf equilibrate` says of an equilibrium.
struct EquilibriumReport {
  let end: PinnedEquilibrium
  let energy: PinnedEnergy
  private let method: String
  private let isLeastNorm: Bool
  /// The pins' forces by stalk: coordinates and (coordinates, batch).
  private let forces: [(stalk: String, coordinates: [Int], forces: Matrix)]
  let discords: DiscordReport

  /// A report.
  ///
  /// - Parameters:
  ///   - pinned: the pins with the names that the call has for their stalks.
  ///   - method: the method that was used.
  ///   - isLeastNorm: whether an input left open is the point of least norm, and no failure.
  init(
    _ end: PinnedEquilibrium, _ energy: PinnedEnergy, pinned: [(stalk: String, pin: Pin)],
    method: String, isLeastNorm: Bool
  ) {
    (self.end, self.energy) = (end, energy)
    (self.method, self.isLeastNorm) = (method, isLeastNorm)
    let all = end.pinForces(energy)
    var vertices: [Int] = []
    for (_, pin) in pinned where !vertices.contains(pin.vertex) { vertices.append(pin.vertex) }
    forces = vertices.map { v in
      let these = pinned.filter { $0.pin.vertex == v }
      let coordinates = Set(these.flatMap(\.pin.coordinates)).sorted()
      return (
        these[0].stalk, coordinates, all[v][rows: coordinates, columns: Array(0..<end.state.batch)]
      )
    }
    discords = energy.discords(at: end.state)
  }

  /// The mean energy over the batch.
  private var meanEnergy: Double { end.energies.reduce(0, +) / Double(end.energies.count) }

  /// The largest residual, NaN if one is, and its sample.
  private var worst: (residual: Double, sample: Int) {
    let j =
      end.residuals.firstIndex(where: \.isNaN)
      ?? end.residuals.indices.max { end.residuals[$0] < end.residuals[$1] }!
    return (end.residuals[j], j)
  }

  var network: Network { energy.sheaf.network }

  /// The last vertex: a_{k+1} where φ is not the identity.
  private var output: Matrix {
    let z = end.state.stalks[network.lastVertex]
    return network.outputActivation == .identity ? z : end.state.output ?? z
  }

  /// φ(z_{k+1}), which differs from a held or pulled a_{k+1}.
  private var prediction: Matrix? {
    energy.output.map { $0.activation(end.state.stalks[network.lastVertex]) }
  }

  /// The input coordinates that are not held.
  private var freed: [Int] {
    let held = Set(energy.pins.held(0))
    return (0..<network.inputDimension).filter { !held.contains($0) }
  }

  private var statusCounts: [String: Int] {
    Dictionary(end.statuses.map { ($0.rawValue, 1) }, uniquingKeysWith: +)
  }

  /// The object of `--json`.
  var json: [String: Any] {
    var object: [String: Any] = [
      "status": end.status.rawValue, "statuses": statusCounts, "method": method,
      "energy": JSONOutput.number(meanEnergy), "totalDiscord": JSONOutput.number(discords.total),
      "edges": JSONOutput.discords(discords, of: network),
      "kinkNeurons": end.kinkNeurons.reduce(0, +),
      "tiedCoordinates": end.tiedCoordinates.reduce(0, +),
      "residual": JSONOutput.number(worst.residual), "iterations": end.iterations.max() ?? 0,
      "output": JSONOutput.samples(output), "classes": network.classNames,
      "pinForces": Dictionary(
        uniqueKeysWithValues: forces.map {
          (
            $0.stalk,
            ["coordinates": $0.coordinates, "forces": JSONOutput.samples($0.forces)]
              as [String: Any]
          )
        }),
      "undetermined": end.freedoms.enumerated().compactMap { j, freedom in
        freedom.map {
          ["sample": j, "dimension": $0.dimension, "coordinates": $0.coordinates] as [String: Any]
        }
      },
    ]
    if let prediction { object["prediction"] = JSONOutput.samples(prediction) }
    if !freed.isEmpty { object["input"] = JSONOutput.samples(end.state.stalks[0]) }
    return object
  }

  /// The report for people.
  var text: String {
    let n = TextOutput.number
    let batch = end.state.batch
    var parts = [
      """
      \(end.status.rawValue): \(batch) \(batch == 1 ? "sample" : "samples") by the \(method) method, \
      at most \(end.iterations.max() ?? 0) steps, residual \(n(worst.residual))
      energy \(n(meanEnergy)), \(end.kinkNeurons.reduce(0, +)) coordinates on kinks, \
      \(end.tiedCoordinates.reduce(0, +)) ties
      """,
      TextOutput.discords(discords, of: network),
    ]
    if !forces.isEmpty {
      parts.append(
        TextOutput.table(
          [["pinned", "coordinates", "mean |force|", "largest |force|"]]
            + forces.map { f in
              let sum = f.forces.elements.reduce(0) { $0 + abs($1) }
              return [
                f.stalk, "\(f.coordinates.count)", n(sum / Double(max(f.forces.count, 1))),
                n(f.forces.maximumMagnitude),
              ]
            }))
    }
    if !freed.isEmpty {
      parts.append(samples("x", end.state.stalks[0], freed))
    }
    if !network.classNames.isEmpty {
      parts.append("classes: " + network.classNames.joined(separator: ", "))
    }
    parts.append(samples("output", output, Array(0..<output.rows)))
    if let prediction, network.outputActivation != .identity {
      parts.append(samples("prediction", prediction, Array(0..<prediction.rows)))
    }
    return parts.joined(separator: "\n\n")
  }

  /// The first samples of a quantity.
  private func samples(_ name: String, _ m: Matrix, _ coordinates: [Int]) -> String {
    let (rows, columns) = (min(m.columns, 10), coordinates.prefix(8))
    var table = [["sample"] + columns.map { "\(name)[\($0)]" }]
    for j in 0..<rows { table.append(["\(j)"] + columns.map { TextOutput.number(m[$0, j]) }) }
    let isWhole = rows == m.columns && columns.count == coordinates.count
    return TextOutput.table(table) + (isWhole ? "" : "\n… all with --json")
  }

  /// How large the numbers are that went in.
  private var scales: String {
    let pins = energy.pins
    let vertices = network.vertices.indices.dropFirst() + [network.vertices.count]
    let soft = (0...network.vertices.count).flatMap { pins.soft($0) }
    let weights = network.edges.flatMap { $0.operation.parameters.map(\.maximumMagnitude) }
    let values = vertices.map { pins.heldValues($0).maximumMagnitude }
    return [
      ("weights", weights.maximum() ?? 0), ("the input", pins.heldValues(0).maximumMagnitude),
      (
        "pinned values",
        maximum(values.maximum() ?? 0, soft.map(\.values.maximumMagnitude).maximum() ?? 0)
      ),
      ("stiffnesses", maximum(soft.map(\.stiffness).maximum() ?? 0, energy.output?.coupling ?? 0)),
    ].filter { $0.1 > 0 }.map { "\($0) up to \(TextOutput.number($1))" }.joined(separator: ", ")
  }

  /// What to say where a sample has not converged, or has no single end; nil where all is well.
  func failure(tolerance: Double) -> WorkFailure? {
    let n = TextOutput.number
    var problems: [String] = []
    let open = end.statuses.indices.filter { end.statuses[$0] != .converged }
    if !open.isEmpty {
      let kinds = SolutionStatus.allCases.compactMap { kind in
        let count = open.filter { end.statuses[$0] == kind }.count
        return count == 0 ? nil : "\(count) \(kind.rawValue)"
      }
      let advice =
        switch end.status {
        case .diverged:
          "weights, values or stiffnesses are too large for the numbers to stay finite: \(scales)"
        case .stepLimit: "allow more with --steps"
        case .interrupted: "interrupted"
        case .timeLimit: "--time-limit reached"
        default:
          method == EquilibriumMethod.direct.rawValue
            ? "try --method iterative or a larger --tolerance"
            : "try --method direct or a larger --tolerance"
        }
      problems.append(
        "\(open.count) of \(end.statuses.count) samples did not converge "
          + "(\(kinds.joined(separator: ", "))): the worst residual is \(n(worst.residual)), of sample "
          + "\(worst.sample), tolerance \(n(tolerance)); \(advice)")
    }
    let undetermined = end.freedoms.indices.filter { end.freedoms[$0] != nil }
    if !isLeastNorm, let j = undetermined.first, let freedom = end.freedoms[j] {
      let coordinates = "x[\(freedom.coordinates.map(String.init).joined(separator: ","))]"
      problems.append(
        "the pins do not determine the input of \(undetermined.count) of \(end.statuses.count) samples: "
          + "that of sample \(j) is free in \(freedom.dimension) "
          + "\(freedom.dimension == 1 ? "dimension" : "dimensions") of \(coordinates); add a soft pin, "
          + "such as --soft-pin '\(coordinates)=0@0.1', or pins on other stalks, or take the point of least "
          + "norm with --least-norm")
    }
    return problems.isEmpty ? nil : WorkFailure(description: problems.joined(separator: "; "))
  }
}
