import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Chains in NPZ files: `W1`, `b1`, `W2`, … with an optional prefix, weights (n_out, n_in).
///
/// The layout is the paper's: ReLU between the layers and nothing behind the last. What else a chain has
/// stands in arrays of texts: `activations` (one for each gap, or for each layer; see `LayerActivation`),
/// `output_activation` and `classes`. Numbering may begin with 0; a bias that is missing is 0. An NPZ file
/// with the names of a state dict (`fc1.weight`) is read like one.
public enum NPZNetwork {
  private static let activationsKey = "activations"
  private static let outputKey = "output_activation"
  private static let classesKey = "classes"

  /// Reads a chain.
  ///
  /// - Parameter note: told what was read where the file does not say all of it, one line each.
  /// - Throws: `ArrayFileError` for arrays that are missing, left over or do not fit.
  public static func read(
    _ path: String, _ reading: NetworkReading = NetworkReading(),
    note: (String) -> Void = { _ in }
  ) throws(ArrayFileError) -> Network {
    let (arrays, texts) = try NPZ.readAll(path)
    return try decode(arrays, texts, file: path, reading, note: note)
  }

  static func decode(
    _ arrays: [String: NumericArray], _ texts: [String: [String]], file: String,
    _ reading: NetworkReading, note: (String) -> Void
  ) throws(ArrayFileError) -> Network {
    let prefix = reading.prefix
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    let weights = numbers(of: "W", in: arrays, prefix)
    guard let start = weights.min() else {
      if texts["\(prefix)W1"] != nil { throw fail("\(prefix)W1 holds texts, expected numbers") }
      if arrays.keys.contains(where: { $0.hasSuffix("weight") }) {
        let dict = arrays.filter { $0.key.split(separator: ".").count > 1 || prefix.isEmpty }
        return reading.applied(
          to: try StateDictReader(file: file, reading: reading).read(dict, note: note))
      }
      throw fail(
        "no array \"\(prefix)W1\"; it has \(StateDict.list((Array(arrays.keys) + texts.keys).sorted()))"
      )
    }
    try reading.refuse(
      [.layerOrder, .batchNormEpsilon], in: file, because: "W1, b1, W2, … are numbered layers")
    let layers = Array(start..<start + weights.count)
    guard start <= 1, weights == Set(layers) else {
      let missing = start > 1 ? 1 : layers.first { !weights.contains($0) }!
      throw fail(
        "\(prefix)W\(weights.filter { $0 > missing }.min()!) stands without \(prefix)W\(missing)")
    }
    let biases = numbers(of: "b", in: arrays, prefix)
    if let stray = biases.subtracting(weights).min() {
      throw fail("\(prefix)b\(stray) stands without \(prefix)W\(stray)")
    }
    let missing = layers.filter { !biases.contains($0) }.map { "\(prefix)b\($0)" }
    if !missing.isEmpty { note("\(file): no \(StateDict.list(missing)), read as 0") }
    let others = leftOver(arrays, layers, prefix)
    if !others.isEmpty {
      note("\(file): \(StateDict.list(others)) are no part of a chain of W and b, not used")
    }

    let activations = try activations(
      texts[prefix + activationsKey], reading, layers: layers, file: file)
    var network: Network?
    var last = 0
    for (l, activation) in zip(layers, activations) {
      let weight = try weight(l, of: arrays, inputs: network?.outputDimension, reading, file)
      let bias = try bias(l, of: arrays, count: weight.rows, reading, file)
      if network == nil { network = Network(inputDimension: weight.columns) }
      last = network!.append(Dense(weight: weight, bias: bias), to: last)
      switch activation {
      case .none: break
      case .copy: last = network!.append(Inclusion.identity(dimension: weight.rows), to: last)
      case .function(let f):
        last = network!.append(Elementwise(f, dimension: weight.rows), to: last)
      case .slopes: throw fail("prelu stands behind \(prefix)W\(l), but an .npz file has no slopes")
      }
    }
    if let names = texts[prefix + classesKey] { try network!.setClassNames(names, file: file) }
    if let found = texts[prefix + outputKey] {
      guard found.count == 1, let output = OutputActivation(rawValue: found[0]) else {
        throw fail(
          "\(prefix)\(outputKey) is \"\(found.joined(separator: ", ").printable)\", expected identity, "
            + "sigmoid or softmax")
      }
      network!.outputActivation = output
    }
    return reading.applied(to: network!)
  }

  /// The numbers N of the arrays called `LETTER N`.
  private static func numbers(
    of letter: String, in arrays: [String: NumericArray], _ prefix: String
  ) -> Set<Int> {
    let head = prefix + letter
    return Set(
      arrays.keys.compactMap { key in
        guard key.hasPrefix(head) else { return nil }
        let digits = key.dropFirst(head.count)
        guard let n = Int(digits), n >= 0, "\(n)" == digits, n < 1 << 30 else { return nil }
        return n
      })
  }

  /// The arrays that look like a layer's, a word and its number, and are neither its weight nor its bias.
  /// Others may be data that the file has as well.
  private static func leftOver(
    _ arrays: [String: NumericArray], _ layers: [Int], _ prefix: String
  ) -> [String] {
    arrays.keys.filter { key in
      guard key.hasPrefix(prefix) else { return false }
      let name = key.dropFirst(prefix.count)
      let letters = name.prefix(while: \.isLetter)
      guard !letters.isEmpty, let n = Int(name.dropFirst(letters.count)), layers.contains(n)
      else { return false }
      return !["W\(n)", "b\(n)"].contains(String(name))
    }.sorted()
  }

  /// What stands behind each layer: by the file, by what was said, else ReLU but behind the last.
  private static func activations(
    _ texts: [String]?, _ reading: NetworkReading, layers: [Int], file: String
  ) throws(ArrayFileError) -> [LayerActivation] {
    var list = reading.activations
    if let texts {
      try reading.refuse(
        [.activation], in: file, because: "its array \(reading.prefix)\(activationsKey) says them")
      list = []
      for text in texts {
        do { list.append(try LayerActivation(text)) } catch {
          throw ArrayFileError(
            file: file, problem: "\(reading.prefix)\(activationsKey): \(error.description)")
        }
      }
    } else if list.count <= 1 {
      let each = list.first ?? .function(.rectifier)
      list = [LayerActivation](repeating: each, count: layers.count - 1)
    }
    if list.count == layers.count - 1 { list.append(.none) }
    guard list.count == layers.count else {
      throw ArrayFileError(
        file: file,
        problem:
          "\(list.count) activations for \(layers.count) layers, expected \(layers.count - 1) "
          + "or \(layers.count), the last behind the last layer")
    }
    return list
  }

  private static func weight(
    _ l: Int, of arrays: [String: NumericArray], inputs: Int?, _ reading: NetworkReading,
    _ file: String
  ) throws(ArrayFileError) -> Matrix {
    let name = "\(reading.prefix)W\(l)"
    let array = arrays[name]!
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard array.shape.count == 2, let weight = array.matrix, !array.elements.isEmpty else {
      throw fail("\(name) has shape \(array.shape), expected (n_out, n_in)")
    }
    let columns = inputs ?? weight.columns
    let bias = arrays["\(reading.prefix)b\(l)"]?.elements.count ?? weight.rows
    let (n, m) = (weight.rows, weight.columns)
    if bias != n && (m == columns && (inputs != nil || bias != m)) {
      throw fail(
        "\(reading.prefix)b\(l) has \(bias) elements, expected \(n) for \(name) \(array.shape)")
    }
    guard weight.columns == columns, bias == weight.rows else {
      let isTurned = weight.columns == bias && (inputs ?? weight.rows) == weight.rows
      throw fail(
        "\(name) has shape \(array.shape), expected (n_out, n_in) = (\(bias), "
          + (inputs.map { "\($0))" } ?? "n_in)")
          + (isTurned ? "; it stands the other way round, save \(name).T" : ""))
    }
    if let (i, j) = weight.firstNonFinite { throw fail("\(name)[\(i), \(j)] is not finite") }
    return weight
  }

  private static func bias(
    _ l: Int, of arrays: [String: NumericArray], count: Int, _ reading: NetworkReading,
    _ file: String
  ) throws(ArrayFileError) -> [Double] {
    let name = "\(reading.prefix)b\(l)"
    guard let array = arrays[name] else { return [Double](repeating: 0, count: count) }
    guard array.elements.count == count, array.shape.filter({ $0 != 1 }).count <= 1 else {
      throw ArrayFileError(
        file: file,
        problem: "\(name) has shape \(array.shape), expected (\(count)) or (\(count), 1)")
    }
    if let i = array.elements.firstIndex(where: { !$0.isFinite }) {
      throw ArrayFileError(file: file, problem: "\(name)[\(i)] is not finite")
    }
    return array.elements
  }

  /// The arrays of numbers and of texts of a chain of dense layers with at most one elementwise
  /// activation behind each, biases (n_out, 1).
  ///
  /// - Throws: `ArrayFileError` for another network: the file could not say what it is.
  public static func arrays(
    of network: Network, prefix: String = "", file: String = "network.npz"
  ) throws(ArrayFileError) -> (arrays: [String: NumericArray], texts: [String: [String]]) {
    var arrays: [String: NumericArray] = [:]
    var activations: [LayerActivation] = []
    for (e, edge) in network.edges.enumerated() {
      func refusal() -> ArrayFileError {
        ArrayFileError(
          file: file,
          problem:
            "\(network.edgeName(e)), \(edge.operation.summary), found; an .npz file holds a chain "
            + "of dense layers with an activation behind each, an .onnx file any network")
      }
      guard edge.source == e, edge.target == e + 1 else { throw refusal() }
      switch edge.operation {
      case let dense as Dense:
        activations.append(.none)
        arrays["\(prefix)W\(activations.count)"] = NumericArray(dense.weight)
        arrays["\(prefix)b\(activations.count)"] = NumericArray(dense.bias)
      case let elementwise as Elementwise where activations.last == LayerActivation.none:
        activations[activations.count - 1] = .function(elementwise.function)
      case is Inclusion where activations.last == LayerActivation.none:
        activations[activations.count - 1] = .copy
      default: throw refusal()
      }
    }
    guard !activations.isEmpty else {
      throw ArrayFileError(file: file, problem: "the network has no layer to write")
    }
    var texts: [String: [String]] = [:]
    let plain =
      [LayerActivation](
        repeating: .function(.rectifier), count: activations.count - 1) + [.none]
    if activations != plain {
      let list =
        activations.last == LayerActivation.none ? activations.dropLast() : activations[...]
      texts[prefix + activationsKey] = list.map(\.name)
    }
    if network.outputActivation != .identity {
      texts[prefix + outputKey] = [network.outputActivation.rawValue]
    }
    if !network.classNames.isEmpty { texts[prefix + classesKey] = network.classNames }
    return (arrays, texts)
  }
}
