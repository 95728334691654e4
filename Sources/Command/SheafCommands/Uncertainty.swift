import ArgumentParser
import ArrayFiles
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// How `sheaf forward` tells how sure the outputs are.
struct UncertaintyOptions: ParsableArguments {
  @Flag(
    help: """
      Standard deviations of the outputs under noise on the edges: of stiffness 1, or as --noise has it.
      """) var uncertainty = false
  @Option(help: "The variances of the noise, a .json file that sheaf stiffness --out wrote.")
  var noise: String?
  @Option(
    help: """
      More networks, FILE,…: outputs are the means over all, variances the means of theirs and the variance between them.
      """) var ensemble: String?

  func validate() throws {
    for (name, value) in [("--noise", noise), ("--ensemble", ensemble)]
    where value != nil && !uncertainty {
      throw ValidationError("\(name) is for --uncertainty, expected that as well")
    }
    _ = try EnsembleFiles(ensemble)
  }

  func declare(in calls: inout CallFiles) throws {
    calls.reads("--noise", noise)
    try EnsembleFiles(ensemble).declare(in: &calls)
  }
}

/// The files of an ensemble's members beside the first, FILE,….
struct EnsembleFiles {
  private let files: [String]

  init(_ text: String?) throws {
    files = text?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    guard !files.contains(where: \.isEmpty) else {
      throw ValidationError(
        "--ensemble \(text!): expected names of files with commas between them")
    }
  }

  func declare(in calls: inout CallFiles) {
    for file in files { calls.reads("--ensemble", file) }
  }

  /// A network and the members beside it, which have inputs and outputs as it has.
  func load(beside network: Network, _ reading: NetworkReadingOptions) throws -> [Network] {
    try [network]
      + files.map { file in
        let other = try reading.load(file)
        guard other.inputDimension == network.inputDimension,
          other.outputDimension == network.outputDimension,
          other.outputActivation == network.outputActivation
        else {
          throw ArrayFileError(
            file: file,
            problem: "has \(other.inputDimension) inputs and \(other.outputDimension) outputs "
              + "(\(other.outputActivation.rawValue)), expected \(network.inputDimension) and "
              + "\(network.outputDimension) (\(network.outputActivation.rawValue)) as in the first network"
          )
        }
        return other
      }
  }
}

/// Networks whose outputs have variances.
struct UncertainOutputs {
  /// The networks, each with the noise of its edges.
  private let members: [(network: Network, noise: ComponentNoise)]

  init(_ network: Network, _ options: UncertaintyOptions, _ reading: NetworkReadingOptions) throws {
    members = try EnsembleFiles(options.ensemble).load(beside: network, reading).map { member in
      guard let noise = options.noise else { return (member, ComponentNoise(unitOn: member)) }
      return (member, try NoiseFile.read(noise, for: member))
    }
  }

  /// Multiplications of a forward pass and reverse sweeps for one sample, all members together.
  var cost: Int { members.reduce(0) { $0 + $1.network.cost * (1 + $1.network.outputDimension) } }

  /// The outputs and their standard deviations, (n_{k+1}, batch) both.
  ///
  /// Those of a sigmoid or softmax are by its derivative at z_{k+1}: the diagonal of φ′ C φ′ᵀ.
  func callAsFunction(_ x: Matrix) -> (output: Matrix, deviation: Matrix) {
    let count = Double(members.count)
    let (n, batch) = (members[0].network.outputDimension, x.columns)
    var (mean, variance) = (Matrix(rows: n, columns: batch), Matrix(rows: n, columns: batch))
    var outputs: [Matrix] = []
    for (network, noise) in members {
      let model = GaussianSheaf(network)
      let state = model.sheaf.forwardPass(x)
      let z = state.stalks[network.lastVertex]
      outputs.append(network.outputActivation(z))
      mean.add(outputs[outputs.count - 1], scale: 1 / count)
      let finite = (0..<batch).filter { z.columns($0..<$0 + 1).firstNonFinite == nil }
      var own = Matrix(rows: n, columns: batch, repeating: .nan)
      if finite.count == batch {
        own = variances(model, noise, state)
      } else if !finite.isEmpty {
        own.scatterColumns(finite, from: variances(model, noise, state.samples(finite)))
      }
      variance.add(own, scale: 1 / count)
    }
    for y in outputs where outputs.count > 1 {
      for j in 0..<batch {
        for i in 0..<n {
          let d = y[i, j] - mean[i, j]
          variance[i, j] += d * d / count
        }
      }
    }
    for j in 0..<batch { for i in 0..<n { variance[i, j] = variance[i, j].squareRoot() } }
    return (mean, variance)
  }

  private func variances(
    _ model: GaussianSheaf, _ noise: ComponentNoise, _ state: SheafState
  ) -> Matrix {
    let network = model.network
    guard network.outputActivation != .identity else {
      return model.predictiveVariances(of: noise, at: state)
    }
    let p = network.outputActivation(state.stalks[network.lastVertex])
    var result = p
    for (j, c) in model.predictiveCovariance(of: noise, at: state).matrices.enumerated() {
      let n = c.rows
      let repeated = p.columns([Int](repeating: j, count: n))
      var half = c
      network.outputActivation.applyJacobian(at: repeated, to: &half)
      var whole = half.transposed
      network.outputActivation.applyJacobian(at: repeated, to: &whole)
      for i in 0..<n { result[i, j] = max(0, whole[i, i]) }
    }
    return result
  }
}
