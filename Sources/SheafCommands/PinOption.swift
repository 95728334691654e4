import ArgumentParser
import LinearAlgebra
import NeuralSheaves

/// `STALK=VALUE` or `STALK[i,j,k:l]=VALUE`, for a soft pin followed by `@GAMMA`.
struct PinOption {
  /// The option as it was given.
  let label: String
  let selection: StalkSelection
  let value: String
  let strength: Pin.Strength

  init(_ text: String, isSoft: Bool) throws {
    let label = "\(isSoft ? "--soft-pin" : "--pin") \(text)"
    func usage(_ problem: String) -> ValidationError {
      ValidationError(
        "\(label): \(problem), expected "
          + (isSoft ? "STALK[i,j,k:l]=VALUE@GAMMA" : "STALK[i,j,k:l]=VALUE"))
    }
    self.label = label
    guard let equals = text.firstIndex(of: "=") else { throw usage("no \"=\"") }
    var value = String(text[text.index(after: equals)...])
    if isSoft {
      guard let at = value.lastIndex(of: "@"),
        let gamma = Double(value[value.index(after: at)...])
      else { throw usage("no stiffness after \"@\"") }
      guard gamma > 0 && gamma.isFinite else {
        throw ValidationError("\(label): γ = \(gamma), expected a positive finite number")
      }
      strength = .soft(gamma)
      value = String(value[..<at])
    } else {
      strength = .hard
    }
    guard !value.isEmpty else { throw usage("no value") }
    if let number = Double(value), !number.isFinite {
      throw ValidationError("\(label): the value is \(number), expected a finite number")
    }
    self.value = value
    selection = try StalkSelection(text[..<equals], in: label)
  }

  /// The options of a call, hard pins first.
  static func parse(hard: [String], soft: [String]) throws -> [PinOption] {
    try hard.map { try PinOption($0, isSoft: false) } + soft.map { try PinOption($0, isSoft: true) }
  }

  /// The pin on a network.
  ///
  /// - Parameters:
  ///   - arrays: how arrays are read.
  ///   - samples: how many samples there are; values are for each of them or for all alike.
  ///   - output: the vertex that `output` names, if not the network's own.
  func pin(
    on network: Network, _ arrays: ArrayOptions, samples: Int, output: Int? = nil
  ) throws -> Pin {
    let own = selection.stalk == "output" ? output : nil
    let vertex: Int
    do {
      vertex = try own ?? network.vertex(named: selection.stalk)
    } catch {
      throw WorkFailure(description: "\(label): \(error)")
    }
    let dimension =
      vertex < network.vertices.count
      ? network.vertices[vertex].dimension : network.outputDimension
    let coordinates = try selection.coordinates(of: dimension)
    let values: Matrix
    if let number = Double(value) {
      values = Matrix(rows: coordinates.count, columns: 1, repeating: number)
    } else {
      values = try arrays.read(value)
      guard values.rows == coordinates.count, values.columns == samples || values.columns == 1
      else {
        let expected = samples == 1 ? "1 sample" : "\(samples) samples, or 1 for all alike"
        throw NetworkError.quantity(
          name: "\(label): the array", found: "(\(values.columns) samples, \(values.rows))",
          expected: "(\(expected), \(coordinates.count))")
      }
    }
    return Pin(
      vertex: vertex, coordinates: coordinates, values: values, strength: strength, label: label)
  }
}
