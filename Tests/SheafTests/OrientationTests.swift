import CellComplexes
import CellularSheaves
import SheafCohomology
import SheafFiles
import Testing

/// Cells whose faces have incidence numbers of their own.
struct OrientationTests {
  /// The faces of a cube of squares of edges, all without numbers: they can be given some, and ∂∂ = 0.
  @Test func cubesAreOriented() throws {
    let cube = CellComplex.grid([2, 2, 2])
    var builder = CellComplex.Builder()
    for cell in 0..<cube.count {
      let faces = cube.incidences(of: cell).map { cube.face($0) }
      let signs = try builder.orientation(of: faces, name: cube.name(cell))
      builder.addCell(Array(zip(faces, signs)).map { (face: $0, sign: $1) })
    }
    let oriented = try builder.complex().complex
    try oriented.checkBoundaries()
    #expect(oriented.cellCounts == [8, 12, 6, 1])
    #expect(
      try RealCohomology(.constant(1, on: oriented)).betti == [1, 0, 0, 0])
  }

  /// The boundary of a cell is closed: three edges in a row bound nothing.
  @Test func openBoundariesAreRefused() throws {
    var builder = CellComplex.Builder()
    for _ in 0..<4 { builder.addCell() }
    for v in 0..<3 { builder.addCell([(v, -1), (v + 1, 1)]) }
    #expect(throws: CellComplexError.notOrientable("f")) {
      try builder.orientation(of: [4, 5, 6], name: "f")
    }
  }

  /// A cell of dimension 1 without ends stays one.
  @Test func openCellsKeepTheirDimension() throws {
    var builder = CellComplex.Builder()
    builder.addCell()
    builder.setDimension(1)
    let complex = try builder.complex().complex
    #expect(complex.cellCounts == [0, 1])
    #expect(try RealCohomology(.constant(1, on: complex)).betti == [0, 1])
  }

  /// A relative sheaf, whose edges lose their ends, comes back from its file as it was.
  @Test func openPartsComeBackFromFiles() throws {
    let part = try CellularSheaf.constant(1, on: .path(3)).relative(to: [0, 2]).sheaf
    let back = try #require(try SheafFile(json: part.json, file: "part.json").cellular())
    #expect(back.complex.cellCounts == [1, 2])
    #expect(try RealCohomology(back).betti == RealCohomology(part).betti)
    let edge = try CellularSheaf.constant(1, on: .path(2)).relative(to: [0, 1]).sheaf
    let open = try #require(try SheafFile(json: edge.json, file: "edge.json").cellular())
    #expect(try RealCohomology(open).betti == [0, 1])
  }

  /// Flag complexes end at their limit: all simplices of a complete graph of 6 vertices are 63.
  @Test func flagComplexesKeepToTheirLimit() throws {
    let complete = (0..<6).map { i in (i + 1..<max(i + 1, 6)).map { Int32($0) } }
    #expect(
      try SimplicialComplex.flag(complete, maximumDimension: 5, limit: 63).complex.count == 63)
    #expect(throws: CellComplexError.self) {
      try SimplicialComplex.flag(complete, maximumDimension: 5, limit: 62)
    }
  }
}
