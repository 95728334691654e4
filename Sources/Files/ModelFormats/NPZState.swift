import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// States in NPZ files: one array per stalk, `z1`, `a1`, …, and `a_output` for a_{k+1}.
public enum NPZState {
  /// Reads the free stalks of a state; the input is given.
  ///
  /// - Parameters:
  ///   - samplesInColumns: whether arrays are (dim, batch) rather than (batch, dim).
  ///   - hasOutput: whether to read a_{k+1}, from `a_output` or its stalk's name.
  public static func read(
    _ path: String, prefix: String = "", network: Network, input: Matrix,
    samplesInColumns: Bool, hasOutput: Bool
  ) throws -> SheafState {
    let arrays = try NPZ.read(path)
    func stalk(_ names: [String], dimension: Int) throws -> Matrix {
      guard let array = names.lazy.compactMap({ arrays[prefix + $0] }).first else {
        throw ArrayFileError(
          file: path,
          problem: "no array \"\(prefix + names[0])\"; it has "
            + arrays.keys.sorted().joined(separator: ", "))
      }
      let samples = array.samples
      let value =
        samplesInColumns && array.shape.count == 2 ? samples.transposed : samples
      guard value.rows == dimension, value.columns == input.columns else {
        throw NetworkError.quantity(
          name: "\(path)#\(prefix + names[0])", found: "\(array.shape)",
          expected: samplesInColumns
            ? "[\(dimension), \(input.columns)]" : "[\(input.columns), \(dimension)]")
      }
      if let (i, j) = value.firstNonFinite {
        throw NetworkError.notFinite(
          array: "\(path)#\(prefix + names[0])", index: ", coordinate \(i) of sample \(j)")
      }
      return value
    }
    var stalks = [input]
    for vertex in network.vertices.dropFirst() {
      stalks.append(try stalk([vertex.name], dimension: vertex.dimension))
    }
    let output =
      hasOutput
      ? try stalk(["a_output", network.outputName], dimension: network.outputDimension) : nil
    return SheafState(stalks: stalks, output: output)
  }

  /// The arrays of a state.
  public static func arrays(
    of state: SheafState, network: Network, samplesInColumns: Bool
  ) -> [String: NumericArray] {
    var result: [String: NumericArray] = [:]
    func put(_ name: String, _ m: Matrix) {
      result[name] = samplesInColumns ? NumericArray(m) : NumericArray(samples: m)
    }
    for (vertex, stalk) in zip(network.vertices, state.stalks) { put(vertex.name, stalk) }
    if let a = state.output { put("a_output", a) }
    return result
  }
}
