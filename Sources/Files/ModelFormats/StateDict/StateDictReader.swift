import ArrayFiles
import NeuralSheaves

/// Reads a foreign state dict as a chain: finds its layers and their order, puts what was said to stand
/// between them there, and states the reading.
struct StateDictReader {
  let file: String
  let reading: NetworkReading

  /// - Parameter note: told what was read, as the file does not say all of it, one line each.
  func read(
    _ arrays: [String: NumericArray], note: (String) -> Void
  ) throws(ArrayFileError) -> Network {
    let dict = try StateDict(arrays, file: file, prefix: reading.prefix)
    let chain = try LayerOrder(dict).modules(given: reading.layerOrder)
    let activations = try GapActivations(chain, file: file).resolve(reading.activations)
    let hasNormalization = chain.contains { $0.kind == .normalization }
    guard hasNormalization || reading.batchNormEpsilon == nil else {
      throw ArrayFileError(
        file: file, problem: "--batch-norm-epsilon does not apply to it: it has no BatchNorm")
    }
    let epsilon = reading.batchNormEpsilon ?? 1e-5
    let line = line(chain, activations)
    let network = try network(line, epsilon: epsilon)
    note("\(file): read as \(statement(line)); \(unseen(chain[0]))")
    if hasNormalization && reading.batchNormEpsilon == nil {
      note("\(file): BatchNorm with PyTorch's ε = 1e-5; --batch-norm-epsilon changes it")
    }
    return network
  }

  /// What the file cannot tell.
  private func unseen(_ first: StateDictModule) -> String {
    let isBehind = first.path.contains { Int($0) ?? 0 > 0 }
    return
      (isBehind
      ? "what stands before \(first.name.printable) is taken to change nothing (Flatten); " : "")
      + "skip connections, and activations before and behind, would not show"
  }

  /// A module, or what was said to stand there.
  private enum Element {
    case module(StateDictModule)
    case activation(LayerActivation)
  }

  private func line(
    _ chain: [StateDictModule], _ activations: [LayerActivation]
  ) -> [Element] {
    var line: [Element] = []
    var rest = activations[...]
    for module in chain {
      line.append(.module(module))
      // A PReLU of the file follows by itself.
      if module.kind != .slopes, let activation = rest.popFirst(), activation != .slopes {
        line.append(.activation(activation))
      }
    }
    return line
  }

  private func network(
    _ line: [Element], epsilon: Double
  ) throws(ArrayFileError) -> Network {
    var modules: [SequentialModule] = []
    var arrays: [Int: [String: NumericArray]] = [:]
    var names: [Int: String] = [:]
    var width = 0
    for element in line {
      var name: String
      var settings: [String: [Double]] = [:]
      switch element {
      case .module(let module):
        if modules.isEmpty { width = module.inputs! }
        (arrays[modules.count], names[modules.count]) = (module.arrays, module.name)
        name =
          switch module.kind {
          case .linear: "Linear"
          case .normalization: "BatchNorm1d"
          case .slopes: "PReLU"
          }
        if module.kind == .normalization { settings = ["eps": [epsilon], "trained": [1]] }
        modules.append(SequentialModule(module: name, input: [width], settings: settings))
        width = module.outputs ?? width
      case .activation(.none), .activation(.slopes): continue
      case .activation(.copy):
        modules.append(SequentialModule(module: "Identity", input: [width], settings: [:]))
      case .activation(.function(let function)):
        modules.append(SequentialModule(function, input: [width]))
      }
    }
    var reader = SequentialReader(arrays, names: names, file: file)
    return try reader.listed(modules, outputActivation: .identity)
  }

  /// The reading in a line: `Linear 4→8 (fc1), relu, Linear 8→2 (fc2)`.
  private func statement(_ line: [Element]) -> String {
    let parts = line.compactMap { element -> String? in
      switch element {
      case .module(let module): "\(module.summary) (\(module.name.printable))"
      case .activation(.none): nil
      case .activation(let activation): activation.name
      }
    }
    return parts.count > 15
      ? parts.prefix(8).joined(separator: ", ") + ", … \(parts.count - 13) more …, "
        + parts.suffix(5).joined(separator: ", ")
      : parts.joined(separator: ", ")
  }
}
