import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence
import Testing

/// Vietoris–Rips barcodes without the complex against those of the complex.
@Suite struct PersistenceRipsTests {
  static func cloud(_ generator: inout RandomGenerator) -> Matrix {
    let (d, n) = (generator.integer(1...4), generator.integer(1...14))
    // On a grid every other time, with equal distances and equal points.
    let isGrid = generator.uniform() < 0.5
    return Matrix(
      rows: d, columns: n,
      columnMajor: (0..<d * n).map { _ in
        isGrid ? Double(generator.integer(0...2)) : generator.uniform()
      })
  }

  @Test func implicitBarsAreThoseOfTheComplex() throws {
    try Tally.over(Array(0..<150)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let points = Self.cloud(&generator)
      let radius = generator.uniform() < 0.5 ? 10 : generator.uniform(0.3, 1.5)
      let (filtration, _) = try SheafFiltration.vietorisRips(
        points: points, radius: radius, maximumDimension: 3)
      for p in [2, 3, 5] {
        let expected = try filtration.barcode(over: .prime(p), maximumDegree: 2)
        let found = try Barcode.vietorisRips(
          points: points, radius: radius, maximumDegree: 2, modulo: p)
        tally.expect(
          found == expected,
          "seed \(seed) over GF(\(p)): \(PersistenceBarcodeTests.bars(found)), expected \(PersistenceBarcodeTests.bars(expected))"
        )
      }
    }.check(atLeast: 450)
  }

  /// Numbers that fulfil no triangle inequality, and the homology of the projective plane, which tells GF(2) from
  /// GF(3).
  @Test func distancesNeedBeNoMetric() throws {
    let plane = Spaces.projectivePlane
    let subdivision = plane.complex.barycentricSubdivision
    let n = subdivision.vertexCount
    var distances = Matrix(rows: n, columns: n, repeating: 2)
    for v in 0..<n { distances[v, v] = 0 }
    for edge in subdivision.complex.cells(ofDimension: 1) {
      let ends = subdivision.simplices[edge].map { Int($0) }
      distances[ends[0], ends[1]] = 1
      distances[ends[1], ends[0]] = 1
    }
    for (p, betti) in [(2, [1, 1, 1]), (3, [1, 0, 0])] {
      let barcode = try Barcode.vietorisRips(distances: distances, maximumDegree: 2, modulo: p)
      #expect((0...2).map { barcode.betti($0, at: 1) } == betti)
      #expect((0...2).map { barcode.betti($0, at: 2) } == [1, 0, 0])
      let cut = try Barcode.vietorisRips(
        distances: distances, radius: 1, maximumDegree: 2, modulo: p)
      #expect((0...2).map { cut.betti($0, at: 5) } == betti)
    }
  }

  /// Independent distances make many bars in all degrees.
  @Test func randomDistances() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var generator = RandomGenerator(case: 100 + seed)
      let n = 18
      var distances = Matrix(rows: n, columns: n)
      for j in 0..<n {
        for i in 0..<j {
          distances[i, j] = seed % 2 == 0 ? Double(generator.integer(1...40)) : generator.uniform()
          distances[j, i] = distances[i, j]
        }
      }
      let complex = try SimplicialComplex.vietorisRips(
        distances: distances, radius: 50, maximumDimension: 3)
      let values = (0..<complex.complex.count).map { cell in
        let vertices = complex.simplices[cell].map { Int($0) }
        return vertices.flatMap { i in vertices.map { distances[i, $0] } }.max()!
      }
      let filtration = try SheafFiltration(.constant(on: complex.complex), values: values)
      for p in [2, 3, 7] {
        let expected = try filtration.barcode(over: .prime(p), maximumDegree: 2)
        let found = try Barcode.vietorisRips(distances: distances, maximumDegree: 2, modulo: p)
        tally.expect(found == expected, "seed \(seed) over GF(\(p))")
        tally.expect(!found[2].isEmpty, "seed \(seed): no bar of degree 2")
      }
    }.check(atLeast: 240)
  }

  /// n points on a circle: one loop, from the distance of neighbours to that at which triangles contain the centre
  /// (Adamaszek, Adams 2017: the side of the inscribed triangle for n divisible by 3).
  @Test func aCircleHasOneLoop() throws {
    let n = 60
    let points = Matrix(
      rows: 2, columns: n,
      columnMajor: (0..<n).flatMap { i -> [Double] in
        let angle = 2 * Double.pi * Double(i) / Double(n)
        return [cosine(angle), cosine(angle - .pi / 2)]
      })
    let loops = try Barcode.vietorisRips(points: points)[1]
    #expect(loops.count == 1)
    #expect(abs(loops[0].birth - 2 * cosine(.pi / 2 - .pi / Double(n))) < 1e-12)
    #expect(abs(loops[0].death - 3.squareRoot()) < 1e-12)
  }

  /// cos by Taylor's series, |x| ≤ 2 π.
  private func cosine(_ x: Double) -> Double {
    var (sum, term) = (0.0, 1.0)
    for k in 0..<40 {
      sum += term
      term *= -x * x / Double((2 * k + 1) * (2 * k + 2))
    }
    return sum
  }

  @Test func theSizeIsEstimatedFirst() throws {
    var generator = RandomGenerator(case: 1)
    let points = generator.normalMatrix(rows: 3, columns: 40)
    let size = try RipsSize.estimate(points: points, radius: 1.5, maximumDimension: 3)
    let complex = try SimplicialComplex.vietorisRips(
      points: points, radius: 1.5, maximumDimension: 3
    ).complex
    #expect(size.simplices[0] == 40 && size.simplices[1] == Double(complex.cellCounts[1]))
    for k in 2...3 {
      #expect(abs(size.simplices[k] / Double(complex.cellCounts[k]) - 1) < 0.2)
    }
    // Enough for the distances, and for no cloud's simplices.
    let limit = 2e4
    #expect {
      try SheafFiltration.vietorisRips(
        points: points, radius: 1.5, maximumDimension: 3, memoryLimit: limit)
    } throws: {
      guard case .tooLarge(let simplices, _, limit) = $0 as? PersistenceError else { return false }
      return simplices == size.total
    }
    #expect(throws: PersistenceError.self) {
      try Barcode.vietorisRips(points: points, memoryLimit: 1e4)
    }
  }

  @Test func badDistancesAreRefused() throws {
    var points = Matrix(rows: 2, columns: 3)
    points[1, 2] = .nan
    #expect {
      try Barcode.vietorisRips(points: points)
    } throws: {
      "\($0)" == "point 2: found a coordinate that is not finite, expected finite coordinates"
    }
    let distances = Matrix([[0, 1], [2, 0]])
    #expect(throws: PersistenceError.self) { try Barcode.vietorisRips(distances: distances) }
    #expect(throws: PersistenceError.self) {
      try Barcode.vietorisRips(points: Matrix(rows: 1, columns: 2), modulo: 4)
    }
    #expect(throws: PersistenceError.self) {
      try Barcode.vietorisRips(points: Matrix(rows: 1, columns: 2), radius: .nan)
    }
    #expect(try Barcode.vietorisRips(points: Matrix(rows: 2, columns: 0)).intervals.isEmpty)
    #expect(try Barcode.vietorisRips(points: Matrix(rows: 2, columns: 1)).intervals.count == 1)
  }
}
