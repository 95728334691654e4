import CellComplexes
import Foundation
import LinearAlgebra
import SheafPersistence
import Testing

/// Delaunay triangulations, of points in general and in special position.
@Suite struct PersistenceDelaunayTests {
  #if Qhull
    static func cloud(_ generator: inout RandomGenerator, dimension d: Int, count: Int) -> Matrix {
      Matrix(
        rows: d, columns: count, columnMajor: (0..<d * count).map { _ in generator.uniform() })
    }

    /// The volume of a simplex in ℝᵈ times d!.
    static func volume(_ vertices: [Int], _ points: Matrix) -> Double {
      let p = vertices.map { points.columns($0..<$0 + 1).elements }
      let e = p.dropFirst().map { q in zip(q, p[0]).map { $0 - $1 } }
      if e.count == 2 { return abs(e[0][0] * e[1][1] - e[0][1] * e[1][0]) }
      return abs(
        e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1])
          - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0])
          + e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0]))
    }

    @Test func circumspheresAreEmpty() throws {
      try Tally.over(Array(0..<60)) { seed, tally in
        var generator = RandomGenerator(case: seed)
        let d = seed % 2 == 0 ? 2 : 3
        let points = Self.cloud(&generator, dimension: d, count: generator.integer(d + 1...40))
        let triangulation = try DelaunayTriangulation(points: points)
        tally.expect(
          triangulation.dimension == d && triangulation.extraEdges.isEmpty, "seed \(seed)")
        let complex = triangulation.complex
        tally.expect(complex.complex.eulerCharacteristic == 1, "seed \(seed): no ball")
        tally.expect(complex.vertexCount == points.columns, "seed \(seed): vertices")
        for start in stride(from: 0, to: triangulation.cells.count, by: d + 1) {
          let cell = triangulation.cells[start..<start + d + 1].map { Int($0) }
          guard let ball = SheafFiltration.circumball(cell, points) else { continue }
          tally.expect(
            (0..<points.columns).allSatisfy { j in
              SheafFiltration.distance(points.columns(j..<j + 1).elements, ball.center)
                >= ball.radius * (1 - 1e-6)
            }, "seed \(seed): a point inside the sphere of \(cell)")
        }
      }.check(atLeast: 1000)
    }

    /// Whatever the position: a ball, no face in three cells, and the cells fill the hull.
    @Test func specialPositionsAreTriangulatedToo() throws {
      try Tally.over(Array(0..<40)) { seed, tally in
        var generator = RandomGenerator(case: 1000 + seed)
        let sizes = [[9, 7], [2, 9], [4, 4, 4], [2, 3, 5], [3, 3, 3]][Int(seed) % 5]
        let d = sizes.count
        var points = Clouds.grid(sizes)
        if seed % 2 == 1 { points = generator.rotation(d) * points }
        if seed % 4 >= 2 {
          let scale = pow(10, generator.uniform(-17, -8))
          points = Clouds.moved(points, by: scale, &generator)
        }
        let triangulation = try DelaunayTriangulation(points: points)
        let complex = triangulation.complex.complex
        tally.expect(complex.eulerCharacteristic == 1, "seed \(seed): no ball")
        let cofaces = complex.cofaces()
        tally.expect(
          complex.cells(ofDimension: d - 1).allSatisfy { cofaces.degree($0) <= 2 }, "seed \(seed)")
        let volume = complex.cells(ofDimension: d).reduce(0) {
          $0 + Self.volume(triangulation.complex.simplices[$1].map { Int($0) }, points)
        }
        let expected = Double(sizes.reduce(1) { $0 * ($1 - 1) } * (d == 2 ? 2 : 6))
        tally.expect(
          abs(volume - expected) < 1e-5, "seed \(seed): volume \(volume), not \(expected)")
      }.check(atLeast: 120)
    }

    @Test func fewerDimensionsAreFound() throws {
      var generator = RandomGenerator(case: 7)
      for d in 2...3 {
        for rank in 0...d {
          for count in [1, 2, rank + 1, 12] where count > rank && (rank > 0 || count == 1) {
            let flat = generator.rotation(d).columns(0..<rank)
            var points =
              rank == 0
              ? Matrix(rows: d, columns: 1, repeating: 3)
              : flat * Self.cloud(&generator, dimension: rank, count: count)
            if rank < d { for j in 0..<count { points[0, j] += 5 } }
            let triangulation = try DelaunayTriangulation(points: points)
            #expect(triangulation.dimension == rank, "\(d), \(rank), \(count)")
            #expect(triangulation.complex.vertexCount == count)
            #expect(triangulation.complex.complex.eulerCharacteristic == 1)
          }
        }
      }
      let none = try DelaunayTriangulation(points: Matrix(rows: 2, columns: 0))
      #expect(none.dimension == -1 && none.complex.complex.count == 0)
    }

    /// A line is a path from neighbour to neighbour.
    @Test func collinearPointsAreAPath() throws {
      let points = Matrix([[0, 3, 1, 2], [0, 3, 1, 2]])
      let triangulation = try DelaunayTriangulation(points: points)
      #expect(triangulation.cells == [0, 2, 1, 3, 2, 3])
    }

    /// Repeated points hang on the first.
    @Test func repeatedPointsHangOnTheFirst() throws {
      let points = Clouds.columns(Clouds.grid([2, 2]), [0, 1, 1, 2, 3, 0])
      let triangulation = try DelaunayTriangulation(points: points)
      #expect(triangulation.extraEdges == [1, 2, 0, 5])
      #expect(triangulation.complex.complex.cellCounts == [6, 7, 2])
      let same = try DelaunayTriangulation(points: Matrix(rows: 3, columns: 4, repeating: 0.1))
      #expect(same.dimension == 0 && same.extraEdges == [0, 1, 0, 2, 0, 3])
      #expect(same.complex.complex.cellCounts == [4, 3])
    }

    @Test func badPointsAreRefused() {
      func message(_ points: Matrix) -> String {
        do {
          _ = try DelaunayTriangulation(points: points)
          return "nothing"
        } catch { return "\(error)" }
      }
      #expect(
        message(Matrix(rows: 4, columns: 9))
          == "points: found 4 coordinates, expected 2 or 3, one point per column")
      #expect(message(Matrix(rows: 1, columns: 9)).contains("1 coordinates"))
      var points = Matrix(rows: 2, columns: 3)
      points[1, 1] = .infinity
      #expect(
        message(points)
          == "point 1: found a coordinate that is not finite, expected finite coordinates")
      points[1, 1] = .greatestFiniteMagnitude
      points[1, 2] = -.greatestFiniteMagnitude
      #expect(message(points).contains("coordinates that differ by more"))
    }
  #else
    @Test func theTraitIsNamed() throws {
      let refusal = #expect(throws: PersistenceError.self) {
        try DelaunayTriangulation(points: Clouds.grid([3, 3]))
      }
      #expect("\(refusal!)".contains("trait Qhull"))
      // A line needs no Qhull.
      #expect(try DelaunayTriangulation(points: Clouds.grid([3, 1])).dimension == 1)
    }
  #endif
}
