import ArgumentParser
import LinearAlgebra
import NeuralSheaves

/// `STALK=VALUE` or `STALK[i,j,k:l]=VALUE`, for a soft pin followed by `@GAMMA`.
struct PinOption {
  let text: String
  let stalk: String
  let selection: String?
  let value: String
  let strength: Pin.Strength

  init(_ text: String, isSoft: Bool) throws {
    func usage(_ problem: String) -> ValidationError {
      ValidationError(
        "\(isSoft ? "--soft-pin" : "--pin") \(text): \(problem), expected "
          + (isSoft ? "STALK[i,j,k:l]=VALUE@GAMMA" : "STALK[i,j,k:l]=VALUE"))
    }
    self.text = text
    guard let equals = text.firstIndex(of: "=") else { throw usage("no \"=\"") }
    var value = String(text[text.index(after: equals)...])
    if isSoft {
      guard let at = value.lastIndex(of: "@"),
        let gamma = Double(value[value.index(after: at)...])
      else { throw usage("no stiffness after \"@\"") }
      guard gamma > 0 && gamma.isFinite else {
        throw ValidationError(
          "--soft-pin \(text): γ = \(gamma), expected a positive finite number")
      }
      strength = .soft(gamma)
      value = String(value[..<at])
    } else {
      strength = .hard
    }
    guard !value.isEmpty else { throw usage("no value") }
    self.value = value
    let name = text[..<equals]
    if let open = name.firstIndex(of: "[") {
      guard name.last == "]" else { throw usage("no \"]\"") }
      stalk = String(name[..<open])
      selection = String(name[name.index(after: open)...].dropLast())
    } else {
      stalk = String(name)
      selection = nil
    }
  }

  /// The pin on a network; arrays are read with `arrays`.
  func pin(on network: Network, _ arrays: ArrayOptions) throws -> Pin {
    let vertex = try network.vertex(named: stalk)
    let dimension =
      vertex < network.vertices.count
      ? network.vertices[vertex].dimension : network.outputDimension
    let coordinates = try selection.map { try indices($0, dimension) } ?? Array(0..<dimension)
    let values: Matrix
    if let number = Double(value) {
      guard number.isFinite else {
        throw ValidationError("\(text): the value is not finite")
      }
      values = Matrix(rows: coordinates.count, columns: 1, repeating: number)
    } else {
      values = try arrays.read(value)
    }
    return Pin(vertex: vertex, coordinates: coordinates, values: values, strength: strength)
  }

  private func indices(_ selection: String, _ dimension: Int) throws -> [Int] {
    var result: [Int] = []
    func outside(_ range: String) -> ValidationError {
      ValidationError("\(text): \(range) is outside \(stalk), whose coordinates are 0:\(dimension)")
    }
    for word in selection.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = word.split(separator: ":", omittingEmptySubsequences: false)
      if ends.count == 1, let i = Int(word) {
        guard (0..<dimension).contains(i) else { throw outside("\(i)") }
        result.append(i)
      } else if ends.count == 2, let a = ends[0].isEmpty ? 0 : Int(ends[0]),
        let b = ends[1].isEmpty ? dimension : Int(ends[1]), a < b
      {
        guard 0 <= a, b <= dimension else { throw outside("\(a):\(b)") }
        result += a..<b
      } else {
        throw ValidationError("\(text): \"\(word)\" is neither an index nor a range a:b")
      }
    }
    return result
  }
}
