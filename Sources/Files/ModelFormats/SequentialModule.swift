import LinearAlgebra
import NetworkKernels

/// The modules of a PyTorch `Sequential`, each with the settings that its state dict does not hold.
struct SequentialModule: Codable, Equatable {
  /// The class in `torch.nn`.
  var module: String
  /// The shape of a sample that it reads, channels first.
  var input: [Int]
  /// Settings by PyTorch's names.
  var settings: [String: [Double]]
}

extension SequentialModule {
  /// An elementwise function: PyTorch's module of it, or `PiecewiseAffine` with `kinks`, `slopes` and
  /// `offsets`, which is none of PyTorch's.
  init(_ function: PiecewiseAffine, input: [Int]) {
    let kinks = function.kinks
    switch function {
    case .rectifier: self.init(module: "ReLU", input: input, settings: [:])
    case .leakyRectifier(slope: function.slopes[0]):
      self.init(
        module: "LeakyReLU", input: input, settings: ["negative_slope": [function.slopes[0]]])
    case _
    where kinks.count == 2 && kinks[0] < kinks[1]
      && function == .clip(lower: kinks[0], upper: kinks[1]):
      self.init(
        module: "Hardtanh", input: input, settings: ["min_val": [kinks[0]], "max_val": [kinks[1]]])
    default:
      self.init(
        module: "PiecewiseAffine", input: input,
        settings: [
          "kinks": kinks, "slopes": function.slopes, "offsets": function.offsets,
        ])
    }
  }
}
