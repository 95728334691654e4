import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Chains in NPZ files: `W1`, `b1`, `W2`, … with an optional prefix, weights (n_out, n_in).
public enum NPZNetwork {
  /// Reads the chain W1, b1, …, W_{k+1}, b_{k+1}.
  ///
  /// - Parameters:
  ///   - prefix: of every key, such as `init_`.
  ///   - outputActivation: φ; the file does not say.
  /// - Throws: `ArrayFileError` for the file, listing the keys there when W1 or a bias is missing;
  ///   `NetworkError` for shapes and values.
  public static func read(
    _ path: String, prefix: String = "", outputActivation: OutputActivation = .identity
  ) throws -> Network {
    let arrays = try NPZ.read(path)
    func array(_ key: String) throws -> NumericArray {
      guard let found = arrays[prefix + key] else {
        throw ArrayFileError(
          file: path,
          problem:
            "no array \"\(prefix + key)\"; it has \(arrays.keys.sorted().joined(separator: ", "))")
      }
      return found
    }
    var weights: [Matrix] = []
    var biases: [[Double]] = []
    repeat {
      let l = weights.count + 1
      let w = try array("W\(l)")
      guard w.shape.count == 2, let weight = w.matrix else {
        throw NetworkError.shape(
          array: "\(path)#\(prefix)W\(l)", found: "\(w.shape)", expected: "(n_out, n_in)")
      }
      weights.append(weight)
      biases.append(try array("b\(l)").elements)
    } while arrays["\(prefix)W\(weights.count + 1)"] != nil
    return try Network(weights: weights, biases: biases, outputActivation: outputActivation)
  }

  /// The arrays W1, b1, … of a chain of dense layers with ReLU between them, biases (n_out, 1).
  ///
  /// - Throws: `ArrayFileError` for another network: the file could not say what it is.
  public static func arrays(
    of network: Network, prefix: String = "", file: String = "network.npz"
  ) throws(ArrayFileError) -> [String: NumericArray] {
    var result: [String: NumericArray] = [:]
    for (e, edge) in network.edges.enumerated() {
      if e % 2 == 1, edge.source == e, (edge.operation as? Elementwise)?.function == .rectifier {
        continue
      }
      guard e % 2 == 0, edge.source == e, let dense = edge.operation as? Dense else {
        throw ArrayFileError(
          file: file,
          problem:
            "\(network.edgeName(e)), \(edge.operation.summary), found; an .npz file holds a chain "
            + "of dense layers with ReLU between them, an .onnx file any network")
      }
      result["\(prefix)W\(e / 2 + 1)"] = NumericArray(dense.weight)
      result["\(prefix)b\(e / 2 + 1)"] = NumericArray(dense.bias)
    }
    guard network.edges.count % 2 == 1 else {
      throw ArrayFileError(
        file: file, problem: "the network ends in an activation; an .npz file cannot say so")
    }
    return result
  }
}
