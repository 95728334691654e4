import CellComplexes
import CellularSheaves
import Foundation

extension SheafFiltration {
  /// The filtration of an image by its pixels, with a constant sheaf.
  ///
  /// Pixels that are cubes appear at their values, each other cell with the first cube that it is a face of; pixels
  /// that are vertices appear at their values, each other cell with its last vertex. X_a are the sublevel sets; the
  /// superlevel sets are those of the negated image, where a pixel v has the value −v. The two roles are dual to one
  /// another: bars of sublevel sets of one are those of superlevel sets of the other in the complementary degree but for
  /// the border (Bleile, Garin, Heiss, Maggs, Robins 2022).
  ///
  /// - Parameters:
  ///   - shape: the number of pixels along each of 1, 2 or 3 axes.
  ///   - values: of the pixels, the last axis fastest.
  ///   - role: what pixels are.
  ///   - isSuperlevel: whether large values come first.
  ///   - stalk: the dimension of the stalks.
  ///   - memoryLimit: in bytes, half of the machine's memory by default.
  /// - Returns: the filtration, and the complex with the places of its cells.
  /// - Throws: `quantity` for an empty shape or one of another number of axes, for a pixel without a finite value, for
  ///   values without a pixel, and for an image that needs more memory.
  /// - Complexity: proportional to the number of cells, 2ᵈ for each pixel.
  public static func cubical(
    shape: [Int], values: [Double], pixels role: CubicalComplex.Pixels = .cubes,
    isSuperlevel: Bool = false, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: CubicalComplex) {
    let counts = try CubicalComplex.cellCounts(pixels: shape, as: role)
    try checkPixels(values, shape: shape)
    let bytes = bytes(ofCells: counts, stalk: d) { 2 * Double($0) }
    guard bytes <= memoryLimit else {
      throw .quantity(
        name: "an image of shape \(shape)",
        found: "\(Int(counts.reduce(0, +))) cells, which need \(bytes / 1e9) GB",
        expected: "at most \(memoryLimit / 1e9) GB")
    }
    let complex = try CubicalComplex(pixels: shape, as: role)
    return (
      try cubical(
        .constant(d, on: complex.complex), on: complex, values: values, pixels: role,
        isSuperlevel: isSuperlevel), complex
    )
  }

  /// The filtration of a sheaf on the complex of an image by its pixels.
  ///
  /// - Parameters:
  ///   - sheaf: on `complex.complex`.
  ///   - values: of the pixels, the last axis fastest.
  /// - Throws: `quantity` for a pixel without a finite value, and for values without a pixel.
  public static func cubical(
    _ sheaf: CellularSheaf, on complex: CubicalComplex, values: [Double],
    pixels role: CubicalComplex.Pixels = .cubes, isSuperlevel: Bool = false
  ) throws(PersistenceError) -> SheafFiltration {
    precondition(
      sheaf.complex.cellCounts == complex.complex.cellCounts, "a sheaf on another complex")
    let shape = complex.vertexShape.map { role == .cubes ? $0 - 1 : $0 }
    precondition(
      shape.allSatisfy { $0 > 0 }, "a complex of \(complex.vertexShape) vertices has no cubes")
    try checkPixels(values, shape: shape)
    return try sublevel(
      sheaf, valuesOfDegree: role == .cubes ? shape.count : 0,
      isSuperlevel ? values.map { -$0 } : values)
  }

  private static func checkPixels(_ values: [Double], shape: [Int]) throws(PersistenceError) {
    func pixel(_ place: Int) -> String {
      var (rest, indices) = (place, [String]())
      for n in shape.reversed() {
        indices.append("\(rest % n)")
        rest /= n
      }
      return "pixel (\(indices.reversed().joined(separator: ", ")))"
    }
    let count = shape.reduce(1, *)
    guard values.count == count else {
      throw .quantity(
        name: "an image of shape \(shape)",
        found: "\(values.count) values, "
          + (values.count < count
            ? "none for \(pixel(values.count))"
            : "\(values.count - count) after \(pixel(count - 1))"),
        expected: "\(count), one for each pixel")
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw .quantity(
        name: pixel(place), found: "the value \(values[place])", expected: "a finite number")
    }
  }
}
