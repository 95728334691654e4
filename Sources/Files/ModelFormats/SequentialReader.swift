import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Builds a chain from a list of modules and their arrays.
struct SequentialReader {
  private let file: String
  /// The arrays by module and name.
  private let arrays: [Int: [String: NumericArray]]
  /// What the file calls a module, where that is not its number.
  private let names: [Int: String]
  private var network: Network?
  private var last = 0
  /// Zeros still to be put around the images that come next, before and after.
  private var padding: (before: Extent, after: Extent)?

  init(_ arrays: [Int: [String: NumericArray]], names: [Int: String] = [:], file: String) {
    (self.arrays, self.names, self.file) = (arrays, names, file)
  }

  /// Sorts arrays called `N.name` by N.
  init(_ arrays: [String: NumericArray], file: String) throws(ArrayFileError) {
    var sorted: [Int: [String: NumericArray]] = [:]
    for (key, array) in arrays.sorted(by: { $0.key < $1.key }) {
      let parts = key.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let n = Int(parts[0]), n >= 0, "\(n)" == parts[0] else {
        throw ArrayFileError(
          file: file, problem: "array \"\(key.printable)\" belongs to none of its modules")
      }
      if let k = array.elements.firstIndex(where: { !$0.isFinite }) {
        throw ArrayFileError(file: file, problem: "\(key), number \(k), is not finite")
      }
      sorted[n, default: [:]][String(parts[1])] = array
    }
    self.init(sorted, file: file)
  }

  private func failure(_ n: Int, _ problem: String) -> ArrayFileError {
    ArrayFileError(file: file, problem: "\(names[n]?.printable ?? "module \(n)"): \(problem)")
  }

  /// The network of a list of modules.
  mutating func listed(
    _ modules: [SequentialModule], outputActivation: OutputActivation
  ) throws(ArrayFileError) -> Network {
    guard let first = modules.first,
      let size = elementCount(first.input, limit: ONNXImporter.sizeLimit), size > 0
    else { throw ArrayFileError(file: file, problem: "an empty list of modules") }
    network = Network(inputDimension: size, outputActivation: outputActivation)
    var room = ONNXImporter.sizeLimit
    for (n, module) in modules.enumerated() {
      let dimension = network!.vertices[last].dimension
      guard padding != nil || elementCount(module.input, limit: ONNXImporter.sizeLimit) == dimension
      else {
        throw failure(n, "\(module.module) reads shape \(module.input), found \(dimension) numbers")
      }
      guard padding == nil || module.module == "Conv2d" else {
        throw failure(n, "\(module.module) after ZeroPad2d, expected Conv2d")
      }
      try checkArrays(of: module, n)
      try append(module, n)
      // `output` has a meaning of its own.
      if let name = names[n], name != "output" { network!.addAlias(name, of: last) }
      room -= network!.vertices[last].dimension
      guard room >= 0 else {
        throw failure(n, "with it the network has more than 2^26 coordinates")
      }
    }
    guard padding == nil else {
      throw ArrayFileError(file: file, problem: "a ZeroPad2d at the end, expected Conv2d after it")
    }
    if let n = arrays.keys.filter({ $0 >= modules.count }).min() {
      throw failure(n, "is none of the \(modules.count) modules")
    }
    return network!
  }

  /// Every array belongs to its module.
  private func checkArrays(of module: SequentialModule, _ n: Int) throws(ArrayFileError) {
    let known: Set<String> =
      switch module.module {
      case "Linear", "Conv2d": ["weight", "bias"]
      case "BatchNorm1d", "BatchNorm2d":
        ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
      case "PReLU": ["weight"]
      default: []
      }
    if let name = arrays[n]?.keys.filter({ !known.contains($0) }).min() {
      throw failure(n, "array \(n).\(name.printable) is none of a \(module.module)")
    }
  }

  private mutating func append(_ m: SequentialModule, _ n: Int) throws(ArrayFileError) {
    func number(_ name: String) throws(ArrayFileError) -> Double {
      guard let list = m.settings[name], list.count == 1, list[0].isFinite else {
        throw failure(n, "\(m.module) without a number \(name)")
      }
      return list[0]
    }
    func extent(_ name: String, least: Int) throws(ArrayFileError) -> Extent {
      guard let list = m.settings[name], list.count == 2,
        let h = Int(exactly: list[0]), let w = Int(exactly: list[1]),
        (least...1 << 20).contains(h), (least...1 << 20).contains(w)
      else { throw failure(n, "\(m.module) without two numbers \(name) of at least \(least)") }
      return Extent(h, w)
    }
    let dimension = network!.vertices[last].dimension
    switch m.module {
    case "Linear": try linear(n)
    case "Conv2d":
      try convolution(
        n, m.input, stride: try extent("stride", least: 1),
        padding: try extent("padding", least: 0),
        dilation: try extent("dilation", least: 1), groups: try number("groups"))
    case "ZeroPad2d":
      guard let list = m.settings["padding"], list.count == 4,
        list.allSatisfy({ (0...1_048_576).contains($0) && $0 == $0.rounded() })
      else { throw failure(n, "ZeroPad2d without four numbers padding") }
      let p = list.map { Int($0) }
      padding = (Extent(p[2], p[0]), Extent(p[3], p[1]))
    case "MaxPool2d", "AvgPool2d":
      guard m.input.count == 3 else { throw failure(n, "\(m.module) on shape \(m.input)") }
      let window = try window(
        n, m.input, kernel: try extent("kernel_size", least: 1),
        stride: try extent("stride", least: 1), before: try extent("padding", least: 0),
        after: try extent("padding", least: 0),
        dilation: m.module == "MaxPool2d" ? try extent("dilation", least: 1) : Extent(1, 1),
        roundsUp: try number("ceil_mode") != 0)
      let (places, overflow) = (window.channels * window.outputSize)
        .multipliedReportingOverflow(by: window.kernel.height * window.kernel.width)
      guard !overflow, places <= ONNXImporter.sizeLimit else {
        throw failure(n, "more than 2^26 window places")
      }
      if m.module == "AvgPool2d" {
        put(AveragePooling(window, includesPadding: try number("count_include_pad") != 0))
      } else {
        guard window.windows.allSatisfy({ (1...Int(UInt16.max)).contains($0.count) }) else {
          throw failure(n, "a window without a place in the image, or with more than 65535")
        }
        put(MaximumPooling(window))
      }
    case "BatchNorm1d", "BatchNorm2d":
      try normalization(
        n, epsilon: try number("eps"), isTrained: try number("trained") != 0)
    case "PReLU": try parametricRectifier(n)
    case "ReLU": put(Elementwise.rectifier(dimension: dimension))
    case "LeakyReLU":
      put(
        Elementwise(
          .leakyRectifier(slope: try number("negative_slope")), dimension: dimension))
    case "Hardtanh":
      let (lower, upper) = (try number("min_val"), try number("max_val"))
      guard lower < upper else { throw failure(n, "Hardtanh from \(lower) to \(upper)") }
      put(Elementwise(.clip(lower: lower, upper: upper), dimension: dimension))
    case "PiecewiseAffine":
      guard
        let function = try? PiecewiseAffine(
          checking: m.settings["kinks"] ?? [], slopes: m.settings["slopes"] ?? [],
          offsets: m.settings["offsets"] ?? [])
      else { throw failure(n, "PiecewiseAffine without kinks, slopes and offsets that fit") }
      put(Elementwise(function, dimension: dimension))
    case "Identity": put(Inclusion.identity(dimension: dimension))
    case "Flatten", "Unflatten": break
    default: throw failure(n, "\(m.module) is not supported")
    }
  }

  // MARK: Modules

  private mutating func put(_ operation: any NetworkOperation) {
    last = network!.append(operation, to: last)
  }

  private func array(_ n: Int, _ name: String, count: Int) throws(ArrayFileError) -> [Double] {
    guard let found = arrays[n]?[name] else { throw failure(n, "no array \(n).\(name)") }
    guard found.elements.count == count else {
      throw failure(n, "\(name) has shape \(found.shape), expected \(count) numbers")
    }
    return found.elements
  }

  private mutating func linear(_ n: Int) throws(ArrayFileError) {
    guard let w = arrays[n]?["weight"], w.shape.count == 2, let weight = w.matrix, w.shape[0] > 0,
      w.shape[1] > 0
    else { throw failure(n, "no weight of shape [n_out, n_in]") }
    if network == nil { network = Network(inputDimension: weight.columns) }
    let dimension = network!.vertices[last].dimension
    guard weight.columns == dimension else {
      throw failure(n, "weight has shape \(w.shape), expected [n_out, \(dimension)]")
    }
    let bias =
      arrays[n]?["bias"] == nil
      ? [Double](repeating: 0, count: weight.rows) : try array(n, "bias", count: weight.rows)
    put(Dense(weight: weight, bias: bias))
  }

  private mutating func normalization(
    _ n: Int, epsilon: Double, isTrained: Bool
  ) throws(ArrayFileError) {
    let channels = arrays[n]?["running_mean"]?.elements.count ?? 0
    if network == nil, channels > 0 { network = Network(inputDimension: channels) }
    let dimension = network?.vertices[last].dimension ?? 0
    guard channels > 0, dimension % channels == 0 else {
      throw failure(n, "\(channels) running means for \(dimension) numbers")
    }
    let mean = try array(n, "running_mean", count: channels)
    let variance = try array(n, "running_var", count: channels)
    guard variance.allSatisfy({ $0 + epsilon > 0 }) else {
      throw failure(n, "a running variance that is negative")
    }
    let hasWeights = arrays[n]?["weight"] != nil
    let gamma =
      hasWeights
      ? try array(n, "weight", count: channels) : [Double](repeating: 1, count: channels)
    let beta =
      hasWeights ? try array(n, "bias", count: channels) : [Double](repeating: 0, count: channels)
    let scale = gamma.indices.map { gamma[$0] / (variance[$0] + epsilon).squareRoot() }
    let shift = gamma.indices.map { beta[$0] - mean[$0] * scale[$0] }
    guard (scale + shift).allSatisfy(\.isFinite) else {
      throw failure(n, "a normalisation that is not finite in double")
    }
    put(
      ChannelAffine(
        scale: scale, shift: shift, extent: dimension / channels, isTrained: isTrained))
  }

  private mutating func parametricRectifier(_ n: Int) throws(ArrayFileError) {
    guard let slopes = arrays[n]?["weight"]?.elements, !slopes.isEmpty, let network,
      network.vertices[last].dimension % slopes.count == 0
    else { throw failure(n, "a PReLU whose slopes do not fit") }
    put(
      ParametricRectifier(
        slopes: slopes, extent: network.vertices[last].dimension / slopes.count))
  }

  private mutating func convolution(
    _ n: Int, _ input: [Int], stride: Extent, padding symmetric: Extent, dilation: Extent,
    groups: Double
  ) throws(ArrayFileError) {
    guard let w = arrays[n]?["weight"], w.shape.count == 4, input.count == 3,
      w.shape.allSatisfy({ $0 > 0 }), let g = Int(exactly: groups), g > 0
    else { throw failure(n, "no weight of shape [filters, channels, height, width]") }
    var (before, after, image) = (symmetric, symmetric, input)
    if let p = padding {
      (before, after) = (p.before, p.after)
      image[1] -= before.height + after.height
      image[2] -= before.width + after.width
      padding = nil
    }
    guard image.allSatisfy({ $0 > 0 }), image.reduce(1, *) == network!.vertices[last].dimension,
      image[0] % g == 0, w.shape[0] % g == 0, w.shape[1] == image[0] / g
    else {
      throw failure(n, "weight has shape \(w.shape) in \(g) groups for images of shape \(image)")
    }
    let window = try window(
      n, image, kernel: Extent(w.shape[2], w.shape[3]), stride: stride, before: before,
      after: after, dilation: dilation, roundsUp: false)
    let convolution = Convolution(window: window, filters: w.shape[0], groups: g)
    put(
      Convolutional(
        convolution,
        weight: Matrix(
          rows: convolution.filterSize, columns: w.shape[0], columnMajor: w.elements),
        bias: try array(n, "bias", count: w.shape[0])))
  }

  private func window(
    _ n: Int, _ image: [Int], kernel: Extent, stride: Extent, before: Extent, after: Extent,
    dilation: Extent, roundsUp: Bool
  ) throws(ArrayFileError) -> SlidingWindow {
    let window = SlidingWindow(
      channels: image[0], image: Extent(image[1], image[2]), kernel: kernel, stride: stride,
      dilation: dilation, paddingBefore: before, paddingAfter: after, roundsUp: roundsUp)
    guard window.outputSize > 0, window.outputSize <= ONNXImporter.sizeLimit else {
      throw failure(n, "a kernel that does not fit into images of shape \(image)")
    }
    return window
  }
}
