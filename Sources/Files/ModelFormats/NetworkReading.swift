import ArrayFiles
import NeuralSheaves

/// What is said of a network beside its file.
///
/// A file that says all of itself needs none of it; what does not apply to a file is refused.
public struct NetworkReading: Sendable {
  /// What the keys of an .npz file begin with, such as `init_`, or a module of a state dict, such as
  /// `net`.
  public var prefix = ""
  /// φ; nil for what the file says, else the identity.
  public var outputActivation: OutputActivation?
  /// What stands between the layers, where the file does not say: one for all of them, or one for each
  /// gap and perhaps one more behind the last layer.
  public var activations: [LayerActivation] = []
  /// The modules of a state dict, or groups of them, in the order of the forward pass.
  public var layerOrder: [String] = []
  /// ε of the batch normalisations of a state dict; nil for PyTorch's 10⁻⁵.
  public var batchNormEpsilon: Double?
  /// The tensor of an .onnx file that is the output, one of several or one inside the graph, which is
  /// cut there; nil for the only output.
  public var outputTensor: String?

  /// What is said; by default nothing.
  public init(
    prefix: String = "", outputActivation: OutputActivation? = nil,
    activations: [LayerActivation] = [], layerOrder: [String] = [], batchNormEpsilon: Double? = nil,
    outputTensor: String? = nil
  ) {
    self.prefix = prefix
    self.outputActivation = outputActivation
    self.activations = activations
    self.layerOrder = layerOrder
    self.batchNormEpsilon = batchNormEpsilon
    self.outputTensor = outputTensor
  }

  /// Refuses what the file says itself, or cannot use.
  ///
  /// - Parameter names: the options that do not apply to the file.
  func refuse(
    _ names: Set<Part>, in file: String, because reason: String
  ) throws(ArrayFileError) {
    let given: [(Part, Bool)] = [
      (.prefix, !prefix.isEmpty), (.activation, !activations.isEmpty),
      (.layerOrder, !layerOrder.isEmpty), (.batchNormEpsilon, batchNormEpsilon != nil),
      (.outputTensor, outputTensor != nil),
    ]
    if let (part, _) = given.first(where: { $1 && names.contains($0) }) {
      throw ArrayFileError(
        file: file, problem: "--\(part.rawValue) does not apply to it: \(reason)")
    }
  }

  /// A network with the φ that was asked for, if one was.
  func applied(to network: Network) -> Network {
    var network = network
    if let outputActivation { network.outputActivation = outputActivation }
    return network
  }

  /// The parts that `refuse` may name, by their options.
  enum Part: String {
    case prefix, activation
    case layerOrder = "layer-order"
    case batchNormEpsilon = "batch-norm-epsilon"
    case outputTensor = "output-tensor"
  }
}
