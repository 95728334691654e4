import ArgumentParser
import LinearAlgebra
import NeuralSheaves

/// `STALK=VALUE` or `STALK[i,j,k:l]=VALUE`, for a soft pin followed by `@GAMMA`.
struct PinOption {
  /// The option's name, and the option as it was given.
  let option, label: String
  let selection: StalkSelection
  let value: String
  let strength: Pin.Strength

  init(_ text: String, isSoft: Bool) throws {
    option = isSoft ? "--soft-pin" : "--pin"
    let label = "\(option) \(text)"
    func usage(_ problem: String) -> ValidationError {
      ValidationError(
        "\(label): \(problem), expected "
          + (isSoft ? "STALK[i,j,k:l]=VALUE@GAMMA" : "STALK[i,j,k:l]=VALUE"))
    }
    self.label = label
    guard let equals = text.firstIndex(of: "=") else { throw usage("no \"=\"") }
    var value = text[text.index(after: equals)...].trimmed
    if isSoft {
      guard let at = value.lastIndex(of: "@") else { throw usage("no stiffness after \"@\"") }
      let word = value[value.index(after: at)...].trimmed
      guard let gamma = Double(word) else {
        throw usage("the stiffness \"\(word)\" after \"@\" is not a number")
      }
      guard gamma > 0 && gamma.isFinite else {
        throw ValidationError("\(label): γ = \(gamma), expected a positive finite number")
      }
      strength = .soft(gamma)
      value = value[..<at].trimmed
    } else {
      strength = .hard
      if let at = value.lastIndex(of: "@"), Double(value[value.index(after: at)...]) != nil,
        Double(value[..<at].trimmed) != nil
      {
        throw ValidationError(
          "\(label): a hard pin has no stiffness, found \"\(value[at...])\"; expected no @, or --soft-pin "
            + "'\(text)' to pull")
      }
    }
    guard !value.isEmpty else { throw usage("no value") }
    if let number = Double(value), !number.isFinite {
      throw ValidationError("\(label): the value is \(number), expected a finite number")
    }
    guard Double(value) != nil || Self.mayBeArray(value) else {
      throw ValidationError(
        "\(label): the value is \"\(value)\", expected \(String(value).numberExpected) or an ARRAY such as "
          + "y.npy")
    }
    self.value = String(value)
    selection = try StalkSelection(text[..<equals], in: label)
  }

  /// Whether a text looks like a file with an ending, or is standard input.
  private static func mayBeArray(_ text: Substring) -> Bool {
    String(text) == CallFiles.standardStream
      || zip(text, text.dropFirst()).contains { $0 == "." && $1.isLetter }
  }

  /// The options of a call, hard pins first.
  static func parse(hard: [String], soft: [String]) throws -> [PinOption] {
    try hard.map { try PinOption($0, isSoft: false) } + soft.map { try PinOption($0, isSoft: true) }
  }

  /// Declares the files that values stand in.
  static func declare(hard: [String], soft: [String], in files: inout CallFiles) {
    for pin in (try? parse(hard: hard, soft: soft)) ?? [] where Double(pin.value) == nil {
      files.reads(pin.option, pin.value)
    }
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
        let found =
          "\(values.columns) \(values.columns == 1 ? "sample" : "samples"), \(values.rows)"
        // One number for each sample is a class, where the stalk has many coordinates.
        let isClasses =
          selection.stalk == "output" && values.count == samples
          && values.elements.allSatisfy { $0 >= 0 && $0 == $0.rounded() }
        throw NetworkError.quantity(
          name: "\(label): the array", found: "(\(found))",
          expected: "(\(expected), \(coordinates.count))"
            + (isClasses ? ": one-hot rows, or sheaf equilibrate --labels \(value)" : ""))
      }
    }
    return Pin(
      vertex: vertex, coordinates: coordinates, values: values, strength: strength, label: label)
  }
}
