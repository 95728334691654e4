import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence
import Testing

/// Cubical complexes of images and their filtrations.
@Suite struct PersistenceCubicalTests {
  /// A random shape and values, many of them the same.
  static func image(_ generator: inout RandomGenerator) -> (shape: [Int], values: [Double]) {
    let shape = (0..<generator.integer(1...3)).map { _ in generator.integer(1...5) }
    let values = (0..<shape.reduce(1, *)).map { _ in Double(generator.integer(-2...3)) }
    return (shape, values)
  }

  @Test func complexesArePartsOfTheGrid() throws {
    for shape in [[4], [1], [3, 2], [1, 3], [2, 3, 2], [1, 1, 1], [2, 1, 3]] {
      for role in CubicalComplex.Pixels.allCases {
        let cubes = try CubicalComplex(pixels: shape, as: role)
        let complex = cubes.complex
        #expect(complex.cellCounts == CellComplex.grid(cubes.vertexShape).cellCounts)
        #expect(complex.eulerCharacteristic == 1)
        let sheaf = CellularSheaf.constant(on: complex)
        for k in 0..<max(complex.dimension - 1, 0) {
          let square = sheaf.coboundary(k + 1).dense * sheaf.coboundary(k).dense
          #expect(square.elements.allSatisfy { $0 == 0 })
        }
        for cell in 0..<complex.count {
          let (corner, axes) = cubes.position(of: cell)
          #expect(cubes.cell(at: corner, along: axes) == cell)
          #expect(axes.count == complex.dimension(of: cell))
          // Two faces for each axis, at the lower end and at the upper.
          #expect(complex.incidences(of: cell).count == 2 * axes.count)
          for (j, axis) in axes.enumerated() {
            let pair = complex.incidences(of: cell).lowerBound + 2 * j
            var upper = corner
            upper[axis] += 1
            let rest = axes.filter { $0 != axis }
            #expect(cubes.cell(at: corner, along: rest) == complex.face(pair))
            #expect(cubes.cell(at: upper, along: rest) == complex.face(pair + 1))
            #expect(complex.sign(pair + 1) == (j % 2 == 0 ? 1 : -1))
            #expect(complex.sign(pair) == -complex.sign(pair + 1))
          }
        }
      }
    }
    let cubes = try CubicalComplex(pixels: [2, 2], as: .cubes)
    #expect(cubes.cell(at: [2, 2]) == 8)
    #expect(cubes.cell(at: [2, 2], along: [0]) == nil)
  }

  /// Pixels as cubes: the least of the pixels around a cell; as vertices: the largest of the pixels that it contains.
  @Test func cellsHaveTheValuesOfTheirPixels() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let (shape, values) = Self.image(&generator)
      func value(_ pixel: [Int]) -> Double? {
        guard zip(pixel, shape).allSatisfy({ (0..<$1).contains($0) }) else { return nil }
        return values[zip(pixel, shape).reduce(0) { $0 * $1.1 + $1.0 }]
      }
      for role in CubicalComplex.Pixels.allCases {
        let (filtration, cubes) = try SheafFiltration.cubical(
          shape: shape, values: values, pixels: role)
        for cell in 0..<cubes.complex.count {
          let (corner, axes) = cubes.position(of: cell)
          // Pixels from the one before the least vertex on across the axes, or along them.
          let pixels = (0..<1 << shape.count).compactMap { mask -> Double? in
            let moved = shape.indices.filter { mask >> $0 & 1 == 1 }
            guard moved.allSatisfy({ axes.contains($0) == (role == .vertices) }) else { return nil }
            return value(
              corner.indices.map {
                corner[$0] + (moved.contains($0) ? (role == .vertices ? 1 : -1) : 0)
              })
          }
          let expected = role == .cubes ? pixels.min() : pixels.max()
          tally.expect(
            filtration.values[cell] == expected, "seed \(seed), \(shape), \(role), cell \(cell)")
        }
      }
    }.check(atLeast: 2000)
  }

  /// Superlevel sets are sublevel sets of the negated image.
  @Test func superlevelSetsAreThoseOfTheNegatedImage() throws {
    let values = [3.0, 1, 2, 0, -1, 5]
    for role in CubicalComplex.Pixels.allCases {
      let (upper, _) = try SheafFiltration.cubical(
        shape: [2, 3], values: values, pixels: role, isSuperlevel: true)
      let (lower, _) = try SheafFiltration.cubical(
        shape: [2, 3], values: values.map { -$0 }, pixels: role)
      #expect(upper.values == lower.values)
    }
  }

  /// A dark ring with a gap of 2 around a bright middle, and a corner of its own.
  @Test func aRingHasOneLoop() throws {
    let ring = [
      0.0, 0, 0, 9, 9,
      0, 7, 2, 9, 9,
      0, 0, 0, 9, 1,
    ]
    let cubes = try SheafFiltration.cubical(shape: [3, 5], values: ring).filtration
      .barcode(over: .prime(2))
    #expect(cubes[0].map(\.birth) == [0, 1] && cubes[0].map(\.death) == [.infinity, 9])
    #expect(cubes[1].map(\.birth) == [2] && cubes[1].map(\.death) == [7])
    let vertices = try SheafFiltration.cubical(shape: [3, 5], values: ring, pixels: .vertices)
      .filtration.barcode(over: .prime(3))
    #expect(vertices[0] == cubes[0] && vertices[1] == cubes[1])
  }

  /// Pixels that touch in a corner are one as cubes, two as vertices.
  @Test func cornersJoinCubesOnly() throws {
    let diagonal = [0.0, 5, 5, 0]
    for (role, components) in [(CubicalComplex.Pixels.cubes, 1), (.vertices, 2)] {
      let barcode = try SheafFiltration.cubical(shape: [2, 2], values: diagonal, pixels: role)
        .filtration.barcode(over: .prime(2))
      #expect(barcode.betti(0, at: 0) == components)
      #expect(barcode.betti(0, at: 5) == 1)
    }
    let blobs = try SheafFiltration.cubical(
      shape: [5], values: [2, 4, 1, 3, 0], pixels: .vertices, stalk: 2)
    let bars = try blobs.filtration.barcode(over: .rational)[0]
    #expect(bars.map(\.birth) == [0, 0, 1, 1, 2, 2])
    #expect(bars.map(\.death) == [.infinity, .infinity, 3, 3, 4, 4])
  }

  /// The border of a block of 3 × 3 × 3 pixels around a middle of 4: a void.
  @Test func aShellHasOneVoid() throws {
    var values = [Double](repeating: 1, count: 27)
    values[13] = 4
    for role in CubicalComplex.Pixels.allCases {
      let barcode = try SheafFiltration.cubical(shape: [3, 3, 3], values: values, pixels: role)
        .filtration.barcode(over: .prime(2))
      #expect(
        barcode.intervals == [
          PersistenceInterval(degree: 0, birth: 1, death: .infinity),
          PersistenceInterval(degree: 2, birth: 1, death: 4),
        ])
    }
  }

  /// A sheaf of one's own: ℝ on the right half of two pixels only.
  @Test func aSheafOnTheComplex() throws {
    let cubes = try CubicalComplex(pixels: [2])
    let sheaf = CellularSheaf.supported(on: [1, 2, 4], in: cubes.complex)
    let barcode = try SheafFiltration.cubical(sheaf, on: cubes, values: [3, 1])
      .barcode(over: .prime(2))
    #expect(barcode.intervals == [PersistenceInterval(degree: 0, birth: 1, death: .infinity)])
  }

  @Test func badImagesAreRefused() {
    func message(
      _ shape: [Int], _ values: [Double], memoryLimit: Double = 1e9
    ) -> String {
      do {
        _ = try SheafFiltration.cubical(shape: shape, values: values, memoryLimit: memoryLimit)
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(
      message([2, 3], [0, 1, 2, 3, .nan, 5])
        == "pixel (1, 1): found the value nan, expected a finite number")
    #expect(
      message([2, 3], [0, 1, 2, 3])
        == "an image of shape [2, 3]: found 4 values, none for pixel (1, 1), expected 6, one for each pixel"
    )
    #expect(
      message([2], [0, 1, 2])
        == "an image of shape [2]: found 3 values, 1 after pixel (1), expected 2, one for each pixel"
    )
    for shape in [[], [0], [3, 0], [1, 1, 1, 1], [-1, -1]] {
      #expect(
        message(shape, [])
          == "the shape of an image: found \(shape), expected the numbers of pixels along 1, 2 or 3 axes, each at least 1"
      )
    }
    #expect(message([Int.max, Int.max, 2], []).contains("cells or incidences"))
    #expect(message([10, 10], [Double](repeating: 0, count: 100), memoryLimit: 100).contains("GB"))
  }
}
