import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// What stands between two layers, by a name such as `relu` or `leaky:0.1`.
public enum LayerActivation: Sendable, Equatable {
  /// Nothing: one layer reads the other.
  case none
  /// A vertex that copies the layer.
  case copy
  /// A piecewise affine function of every coordinate.
  case function(PiecewiseAffine)
  /// The PReLU whose slopes the file holds there.
  case slopes

  /// The names for a message.
  public static let names =
    "relu, leaky:SLOPE, relu6, clip:LO:HI, hardtanh, hardsigmoid, softshrink:WIDTH, abs, identity, "
    + "prelu (slopes in the file)"

  /// The activation of a name; numbers follow colons, `inf` and `-inf` among them.
  ///
  /// `hardsigmoid` is PyTorch's, min(max(z/6 + ½, 0), 1). `piecewise:KINKS/SLOPES/OFFSETS`, each list
  /// joined by colons, is any `PiecewiseAffine`.
  /// - Throws: for a name that is none, with the reason where there is one.
  public init(_ text: String) throws(NetworkError) {
    func fail(_ expected: String) -> NetworkError {
      .value(name: "activation", found: "\"\(text)\"", expected: expected)
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let name = parts[0].lowercased()
    if name == "piecewise" {
      guard let function = Self.piecewise(text.dropFirst(name.count + 1)) else {
        throw fail("piecewise:KINKS/SLOPES/OFFSETS of one or two ascending kinks")
      }
      self = .function(function)
      return
    }
    let numbers = parts.dropFirst().compactMap { Double($0) }
    func take(_ count: Int, _ example: String) throws(NetworkError) {
      guard numbers.count == count, parts.count == count + 1, !numbers.contains(where: \.isNaN)
      else { throw fail(example) }
    }
    switch name {
    case "relu":
      try take(0, "relu without numbers")
      self = .function(.rectifier)
    case "relu6":
      try take(0, "relu6 without numbers")
      self = .function(.clip(lower: 0, upper: 6))
    case "abs":
      try take(0, "abs without numbers")
      self = .function(.absolute)
    case "identity", "none":
      try take(0, "identity without numbers")
      self = .none
    case "copy":
      try take(0, "copy without numbers")
      self = .copy
    case "prelu":
      try take(0, "prelu without numbers: the slopes are the file's")
      self = .slopes
    case "hardsigmoid":
      try take(0, "hardsigmoid without numbers")
      self = .function(.hardSigmoid(slope: 1.0 / 6, offset: 0.5))
    case "leaky", "leakyrelu", "leaky_relu":
      try take(1, "leaky:SLOPE, such as leaky:0.01, PyTorch's default")
      guard numbers[0].isFinite else { throw fail("a finite slope") }
      self = .function(.leakyRectifier(slope: numbers[0]))
    case "softshrink":
      try take(1, "softshrink:WIDTH, such as softshrink:0.5, PyTorch's default")
      let width = numbers[0]
      guard width > 0, width.isFinite else { throw fail("a positive width") }
      self = .function(
        PiecewiseAffine(kinks: [-width, width], slopes: [1, 0, 1], offsets: [width, 0, -width]))
    case "hardtanh" where parts.count == 1: self = .function(.clip(lower: -1, upper: 1))
    case "clip", "hardtanh":
      try take(2, "\(name):LO:HI, such as \(name):-1:1")
      guard numbers[0] < numbers[1], numbers[0].isFinite || numbers[1].isFinite else {
        throw fail("LO < HI, not both infinite")
      }
      self = .function(.clip(lower: numbers[0], upper: numbers[1]))
    case "sigmoid", "softmax":
      throw fail(
        "a piecewise linear activation; \(name) may only come last, by --output-activation")
    case "tanh", "gelu", "silu", "swish", "elu", "selu", "celu", "softplus", "softsign", "mish",
      "hardswish", "logsigmoid":
      throw fail(
        "a piecewise linear activation: the sheaf of \(name) has no finite set of patterns")
    default: throw fail(Self.names)
    }
  }

  private static func piecewise(_ text: Substring) -> PiecewiseAffine? {
    let lists = text.split(separator: "/", omittingEmptySubsequences: false).map {
      $0.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
    }
    guard lists.count == 3, lists.joined().allSatisfy(\.isFinite) else { return nil }
    return try? PiecewiseAffine(checking: lists[0], slopes: lists[1], offsets: lists[2])
  }

  /// The name, of which `init` makes the same activation, bit for bit.
  public var name: String {
    func join(_ list: [Double]) -> String { list.map(Self.number).joined(separator: ":") }
    switch self {
    case .none: return "identity"
    case .copy: return "copy"
    case .slopes: return "prelu"
    case .function(let f):
      let simple: PiecewiseAffine
      let text: String
      switch (f.kinks.count, f.slopes) {
      case (1, [0, 1]) where f.kinks[0] == 0: (simple, text) = (.rectifier, "relu")
      case (1, [-1, 1]): (simple, text) = (.absolute, "abs")
      case (1, [0, 1]):
        (simple, text) = (
          .clip(lower: f.kinks[0], upper: .infinity), "clip:\(Self.number(f.kinks[0])):inf"
        )
      case (1, [1, 0]):
        (simple, text) = (
          .clip(lower: -.infinity, upper: f.kinks[0]), "clip:-inf:\(Self.number(f.kinks[0]))"
        )
      case (1, _):
        (simple, text) = (
          .leakyRectifier(slope: f.slopes[0]), "leaky:\(Self.number(f.slopes[0]))"
        )
      default:
        (simple, text) =
          f.kinks[0] < f.kinks[1]
          ? (.clip(lower: f.kinks[0], upper: f.kinks[1]), "clip:\(join(f.kinks))")
          : (.rectifier, "")
      }
      let isSame = zip(
        [simple.kinks, simple.slopes, simple.offsets].joined().map(\.bitPattern),
        [f.kinks, f.slopes, f.offsets].joined().map(\.bitPattern)
      ).allSatisfy(==)
      return simple == f && isSame
        ? text : "piecewise:\(join(f.kinks))/\(join(f.slopes))/\(join(f.offsets))"
    }
  }

  private static func number(_ x: Double) -> String {
    x == x.rounded() && abs(x) < 1e6 && !(x == 0 && x.sign == .minus) ? "\(Int(x))" : "\(x)"
  }
}
