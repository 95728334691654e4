import CellComplexes
import CellularSheaves
import ExactAlgebra
import LinearAlgebra
import SheafPersistence
import Testing

/// Filtrations by values, by the norm of a cochain, and what is refused.
@Suite struct PersistenceFiltrationTests {
  let path = CellularSheaf.constant(on: .path(3))

  @Test func lowerStarTakesTheLargestVertex() throws {
    let filtration = try SheafFiltration.lowerStar(path, vertexValues: [2, 0, 1])
    #expect(filtration.values == [2, 0, 1, 2, 1])
    #expect(filtration.steps == [0, 1, 2])
    #expect(filtration.cells(upTo: 1) == [1, 2, 4])
  }

  /// ‖c‖ of an edge in its inner product; an end appears with its first edge.
  @Test func sublevelSetsOfANorm() throws {
    let sheaf = try CellularSheaf(
      .path(3), stalks: [1, 1, 1, 2, 2],
      weights: [.standard, .standard, .standard, .scalar(4), .standard]
    ) { _ in .matrix(Matrix([[1], [1]])) }
    let edges = try SheafFiltration.sublevel(sheaf, normOf: [3, 4, 0, -3], degree: 1)
    #expect(edges.values == [10, 3, 3, 10, 3])
    let vertices = try SheafFiltration.sublevel(sheaf, normOf: [-1, 0, 2])
    #expect(vertices.values == [1, 0, 2, 1, 2])
    let isolated = CellularSheaf.constant(
      on: try SimplicialComplex(facets: [[0, 1]], vertices: 3).complex)
    #expect(try SheafFiltration.sublevel(isolated, normOf: [5], degree: 1).values == [5, 5, 0, 5])
  }

  @Test func valuesByName() throws {
    let byName = try SheafFiltration(
      path, valuesByName: ["0": 0, "1": 0, "2": 1, "3": 2, "4": 1])
    #expect(byName.values == [0, 0, 1, 2, 1])
    #expect(throws: PersistenceError.missing(cell: "4")) {
      try SheafFiltration(path, valuesByName: ["0": 0, "1": 0, "2": 1, "3": 2])
    }
    #expect(throws: PersistenceError.unknownCell("x")) {
      try SheafFiltration(
        path, valuesByName: ["0": 0, "1": 0, "2": 1, "3": 2, "4": 1, "x": 0])
    }
  }

  @Test func whatIsNoFiltrationIsRefused() {
    #expect(
      throws: PersistenceError.faceAfterCoface(
        face: "2", value: 3, coface: "4", cofaceValue: 1)
    ) { try SheafFiltration(path, values: [0, 0, 3, 0, 1]) }
    #expect(throws: PersistenceError.missing(cell: "3")) {
      try SheafFiltration(path, values: [0, 0, 0])
    }
    #expect {
      try SheafFiltration(path, values: [0, 0, 0, .nan, 0])
    } throws: {
      "\($0)" == "cell \"3\" has the value nan, expected a finite number"
    }
    #expect(throws: PersistenceError.missing(cell: "2")) {
      try SheafFiltration.lowerStar(path, vertexValues: [0, 0])
    }
    #expect(throws: PersistenceError.notFinite(cell: "1", found: .infinity)) {
      try SheafFiltration.lowerStar(path, vertexValues: [0, .infinity, 1])
    }
  }

  @Test func coefficientsThatAreNoneAreRefused() throws {
    let half = try SheafFiltration(
      CellularSheaf(.path(2), stalks: [1, 1, 1]) { _ in .scalar(0.5) }, values: [0, 0, 0])
    #expect(throws: PersistenceError.self) { try half.barcode(over: .prime(2)) }
    #expect {
      try half.barcode(over: .prime(4))
    } throws: {
      "\($0)" == "4 is not a prime number below 2³¹"
    }
    #expect(try half.barcode(over: .prime(3)).intervals.count == 1)
    // A triangle whose maps do not commute.
    let triangle = try SimplicialComplex(facets: [[0, 1, 2]]).complex
    let broken = try SheafFiltration(
      CellularSheaf(triangle, stalks: [1, 1, 1, 1, 1, 1, 1]) { .scalar($0 == 0 ? 2 : 1) },
      values: [Double](repeating: 0, count: 7))
    #expect(throws: PersistenceError.self) { try broken.barcode(over: .rational) }
  }

  /// Numbers beyond 64 bits on the way.
  @Test func rationalsWithoutBounds() throws {
    let n = 30
    let sheaf = try CellularSheaf.cycle(n, transport: Matrix([[1]]))
    let large = try CellularSheaf(sheaf.complex, stalks: sheaf.stalks) { i in
      .scalar(i % 2 == 0 ? 1 : 1_000_003)
    }
    let barcode = try SheafFiltration.lowerStar(
      large, vertexValues: (0..<n).map { Double($0) }
    ).barcode(over: .rational, findingRepresentatives: true)
    #expect(barcode.intervals.map(\.degree) == [0])
    #expect(barcode.intervals[0].birth == 0 && barcode.intervals[0].death == Double(n - 1))
  }
}
