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

  /// The arrays W1, b1, … of a chain of affine operations, biases (n_out, 1).
  public static func arrays(of network: Network, prefix: String = "") -> [String: NumericArray] {
    var result: [String: NumericArray] = [:]
    var l = 0
    for edge in network.edges where edge.operation.parameterNames == ["weight", "bias"] {
      l += 1
      result["\(prefix)W\(l)"] = NumericArray(edge.operation.parameters[0])
      result["\(prefix)b\(l)"] = NumericArray(edge.operation.parameters[1])
    }
    return result
  }
}
