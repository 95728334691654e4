import ArgumentParser
import ArrayFiles
import FaultLocation
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// What the components of a noise are one of.
enum NoiseGrouping: String, CaseIterable, ExpressibleByArgument {
  case edge, kind
}

struct StiffnessCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stiffness",
    abstract: "Learn how stiff each edge is: variance components of the output's residuals.",
    discussion: """
      Residuals are what was observed less the forward pass. Their covariance is taken as a sum over the edges: γ⁻¹, the \
      variance of an edge's noise, times what that noise does to the output of each sample. The variances are those of greatest \
      likelihood; share is the part of the residuals' mean square that a component accounts for. The p-value of a component is that of its variance \
      being 0, by half a χ² of one degree; the p-value of all is that of noise on the output alone, by draws.

      Examples:
      sheaf stiffness network.npz --input x.npy --target y.npy --by kind --gains --out noise.json
      sheaf stiffness deployed.onnx --input x.npy --reference outputs.npy --json
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(
    help: """
      Outputs of a reference network on the same samples, an ARRAY: logits or, of a classifier, probabilities.
      """) var reference: String?
  @Option(help: "Observed outputs of a network with identity output, an ARRAY.") var target: String?
  @Option(help: "Classes of the samples for a network with identity output, an ARRAY.")
  var labels: String?
  @Option(help: "One variance for each edge, or for each kind of edge beside the input's.")
  var by: NoiseGrouping = .edge
  @Flag(help: "A second variance for noise that multiplies what an edge determines.")
  var gains = false
  @Option(
    help: """
      More networks, FILE,…: residuals of the mean over all, whose covariance has the one between them as a part that is \
      known. With --target or --labels.
      """) var ensemble: String?
  @Option(help: "How many draws the p-value of all is from; 0 for none.") var draws = 99
  @Option(help: "The seed of these draws.") var seed: UInt64 = 0
  @Option(help: "Write the variances to a .json file, for sheaf forward --noise.") var out: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    let given = [reference, target, labels].compactMap { $0 }.count
    guard given == 1 else {
      throw ValidationError(
        "\(given) of --reference, --target and --labels, expected one: what the output is compared with"
      )
    }
    guard draws >= 0 else { throw ValidationError("--draws is \(draws), expected 0 or more") }
    guard ensemble == nil || reference == nil else {
      throw ValidationError("--ensemble is for --target and --labels, not for --reference")
    }
    _ = try EnsembleFiles(ensemble)
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    files.reads("--reference", reference)
    files.reads("--target", target)
    files.reads("--labels", labels)
    try EnsembleFiles(ensemble).declare(in: &files)
    try files.writes("--out", out, extensions: ["json"])
    files.prints("--json", json)
    try files.check()
    let reading = network.reading
    let network = try network.load()
    let x = try arrays.readInput(input, for: network)
    let members = try EnsembleFiles(ensemble).load(beside: network, reading)
    // Components are edges: they mean the same in all members or nothing.
    let edges = network.edges.map(\.operation.summary)
    if let m = members.firstIndex(where: { $0.edges.map(\.operation.summary) != edges }) {
      throw NetworkError.value(
        name: "--ensemble",
        found: "a network with the operations "
          + members[m].edges.map(\.operation.summary).joined(separator: ", "),
        expected: "those of the first: " + edges.joined(separator: ", "))
    }
    let states = members.map { NeuralSheaf($0).forwardPass(x) }
    let outputs = states.map { $0.stalks[$0.stalks.count - 1] }
    let observed = try observation(network, outputs.mean, samples: x.columns)
    let components =
      by == .edge
      ? network.edgeComponents(gains: gains) : network.kindComponents(gains: gains)
    let covariances = zip(members, states).map { member, state in
      GaussianSheaf(member).componentCovariances(of: components, at: state)
    }
    let r = observed.residuals
    let all = try VarianceModel(
      residuals: r,
      components: components.indices.map { c in
        (0..<x.columns).map { j in observed.reduced(covariances.map { $0[c][j] }.mean) }
      },
      known: members.count > 1 ? outputs.covariances : nil,
      floor: 1e-6 * dot(r, r) / Double(r.count))
    let twins = all.twins
    let model = try all.merged(twins.map { [$0[0]] })
    var generator = RandomGenerator(seed: seed)
    let report = try StiffnessReport(
      model, twins.map { $0.map { components[$0] } }, of: network, scale: observed.scale,
      draws: draws, using: &generator)
    var delivery = Delivery()
    if let out {
      delivery.put {
        try ArrayFile.write(try NoiseFile(report, of: network).encoded(), to: out)
      }
    }
    if json {
      delivery.put { try JSONOutput.print(report.json) }
    } else {
      delivery.print(report.text)
    }
    try delivery.end(
      report.fit.status == .converged
        ? nil
        : WorkFailure(
          description: "the variances are not those of greatest likelihood yet: "
            + "\(report.fit.status.rawValue) after \(report.fit.steps) steps"))
  }

  private struct Observation {
    let residuals: Matrix
    let reduced: (Matrix) -> Matrix
    let scale: OutputDifference.Scale
  }

  private func observation(
    _ network: Network, _ z: Matrix, samples: Int
  ) throws -> Observation {
    if let reference {
      let difference = try OutputDifference(
        logits: z, reference: try arrays.read(reference), of: network)
      if difference.scale != .values {
        Note.say("--reference: taken for probabilities, compared by their logarithms")
      }
      return Observation(
        residuals: difference.residuals, reduced: difference.reduced, scale: difference.scale)
    }
    guard network.outputActivation == .identity else {
      throw NetworkError.value(
        name: target != nil ? "--target" : "--labels",
        found: "given for a classifier (output \(network.outputActivation.rawValue))",
        expected:
          "--reference, with outputs of a reference network: one label of a sample has the variance that its "
          + "probability says, however far the logits stray, so that labels tell no component from another"
      )
    }
    let y: Matrix
    if let target {
      y = try arrays.read(target)
      guard y.rows == z.rows && y.columns == samples else {
        throw NetworkError.quantity(
          name: target, found: "(\(y.columns) samples, \(y.rows))",
          expected: "(\(samples) samples, \(z.rows))")
      }
    } else {
      let read = try Labels(labels!, option: "--labels", for: network, arrays: arrays)
      y = read.target
      guard y.columns == samples else {
        throw NetworkError.quantity(
          name: labels!, found: "\(y.columns) labels", expected: "\(samples), one for each sample")
      }
    }
    if let (_, j) = z.firstNonFinite {
      throw NetworkError.notFinite(array: "the output", index: " of sample \(j)")
    }
    var r = y
    r.add(z, scale: -1)
    return Observation(residuals: r, reduced: { $0 }, scale: .values)
  }
}

extension [Matrix] {
  /// The mean of matrices of one shape.
  fileprivate var mean: Matrix {
    guard count > 1 else { return self[0] }
    var sum = self[0]
    for other in dropFirst() { sum.add(other) }
    sum.scale(by: 1 / Double(count))
    return sum
  }

  /// For each column the covariance of it between the matrices.
  fileprivate var covariances: [Matrix] {
    let mean = mean
    return (0..<mean.columns).map { j in
      var sum = Matrix(rows: mean.rows, columns: mean.rows)
      for matrix in self {
        var d = matrix.columns(j..<j + 1)
        d.add(mean.columns(j..<j + 1), scale: -1)
        sum.addProduct(d, d, transposing: .right, scale: 1 / Double(count))
      }
      return sum
    }
  }
}
