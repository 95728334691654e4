import ArrayFiles

/// A module of a state dict: what it is by the names and shapes of its arrays.
struct StateDictModule {
  enum Kind: Equatable {
    /// weight (n_out, n_in) and perhaps bias.
    case linear
    /// Running mean and variance, perhaps weight and bias.
    case normalization
    /// A weight of one axis alone.
    case slopes
  }

  /// Why the arrays of a module cannot be read.
  enum Refusal: Error {
    case file(ArrayFileError)
    /// A kind of module that is not read, and its arrays' names in the file.
    case unknown(reason: String, keys: [String])
  }

  /// The path without wrappers, such as `["net", "0"]`.
  let path: [String]
  let kind: Kind
  /// The arrays by their last names: weight, bias, ….
  let arrays: [String: NumericArray]
  /// The numbers that it reads and gives; nil for one slope, which fits any.
  let inputs, outputs: Int?

  /// The path in one word.
  var name: String { path.isEmpty ? "weight" : path.joined(separator: ".") }

  /// What it is, for messages.
  var summary: String {
    switch kind {
    case .linear: "Linear \(inputs!)→\(outputs!)"
    case .normalization: "BatchNorm \(inputs!)"
    case .slopes: "PReLU"
    }
  }

  /// - Parameter keys: the names in the file by the last names.
  init(
    path: [String], keys: [String: String], arrays all: [String: NumericArray], file: String
  ) throws(Refusal) {
    let names = keys.keys.sorted()
    func unknown(_ reason: String, _ which: [String]? = nil) -> Refusal {
      .unknown(reason: reason, keys: (which ?? names).map { keys[$0]! })
    }
    if let reason = Self.reason(path, names) { throw unknown(reason) }
    let arrays = keys.mapValues { all[$0]! }
    let known: Set = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    let foreign = names.filter { !known.contains($0) }
    guard foreign.isEmpty else {
      throw unknown(
        "no array of a Linear, BatchNorm or PReLU; an .onnx file (torch.onnx.export) says what it does",
        foreign)
    }
    for name in names {
      if let k = arrays[name]!.elements.firstIndex(where: { !$0.isFinite }) {
        throw .file(
          ArrayFileError(
            file: file, problem: "\(keys[name]!.printable), number \(k), is not finite"))
      }
    }
    func vector(_ name: String, _ count: Int) throws(Refusal) {
      guard let found = arrays[name], found.shape != [count] else { return }
      throw .file(
        ArrayFileError(
          file: file,
          problem: "\(keys[name]!.printable) has shape \(found.shape), expected [\(count)]"))
    }
    self.path = path
    self.arrays = arrays
    let weight = arrays["weight"]
    if let mean = arrays["running_mean"], arrays["running_var"] != nil {
      let count = mean.elements.count
      guard count > 0, (weight == nil) == (arrays["bias"] == nil) else {
        throw unknown("a BatchNorm without channels, or with a weight or a bias alone")
      }
      for name in ["running_mean", "running_var", "weight", "bias"] { try vector(name, count) }
      (kind, inputs, outputs) = (.normalization, count, count)
      return
    }
    guard let weight, names.allSatisfy({ $0 == "weight" || $0 == "bias" }) else {
      throw unknown("a module without its weight, or a BatchNorm without its running statistics")
    }
    guard !weight.elements.isEmpty else { throw unknown("a weight of shape \(weight.shape)") }
    switch weight.shape.count {
    case 2:
      if arrays["bias"] == nil, path.contains(where: { $0.lowercased().contains("emb") }) {
        throw unknown("an Embedding by its name; a network's input is numbers, not indices")
      }
      try vector("bias", weight.shape[0])
      (kind, inputs, outputs) = (.linear, weight.shape[1], weight.shape[0])
    case 1 where arrays["bias"] == nil:
      let count = weight.shape[0] == 1 ? nil : weight.shape[0]
      (kind, inputs, outputs) = (.slopes, count, count)
    case 1:
      throw unknown(
        "a normalisation without running statistics (LayerNorm, GroupNorm or the like): it is not "
          + "piecewise linear")
    case 3...5:
      throw unknown(
        "a convolution, shape \(weight.shape): a state dict lacks the size of the images, stride and "
          + "padding; an .onnx file (torch.onnx.export) has them")
    default: throw unknown("a weight of shape \(weight.shape), expected (n_out, n_in)")
    }
  }

  /// Why arrays of these names are none of a Linear, BatchNorm or PReLU; nil where they may be.
  private static func reason(_ path: [String], _ names: [String]) -> String? {
    func has(_ parts: String...) -> Bool {
      names.contains { name in parts.contains { name.contains($0) } }
    }
    let modules = path.map { $0.lowercased() }
    if has("parametrizations", "weight_g", "weight_v", "weight_orig", "weight_u", "weight_mask") {
      return
        "a weight under a parametrisation (weight_norm, spectral_norm, pruning); remove it before "
        + "saving (torch.nn.utils.parametrize.remove_parametrizations, remove_weight_norm, prune.remove)"
    }
    if modules.contains(where: { $0.contains("lora_") }) || has("lora_") {
      return "a low-rank adapter; merge it into its weight before saving"
    }
    if has("weight_ih", "weight_hh") { return "a recurrent layer, which is not feedforward" }
    if has("in_proj") { return "attention, which is not piecewise linear" }
    if has("kernel") {
      return "a Keras or Flax layer (kernels are (n_in, n_out)); an .onnx file says what it does"
    }
    if has("_packed_params", "zero_point", "qweight") {
      return "a quantised layer; save the network before its quantisation"
    }
    return nil
  }
}
