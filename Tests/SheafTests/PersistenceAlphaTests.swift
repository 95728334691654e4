#if Qhull
  import CellComplexes
  import CellularSheaves
  import Foundation
  import LinearAlgebra
  import SheafPersistence
  import Testing

  /// Alpha filtrations against the definition and against Čech filtrations.
  @Suite struct PersistenceAlphaTests {
    /// Each simplex at the radius of its own ball where that is empty, else at the least of its cofaces.
    @Test func valuesAreThoseOfTheDefinition() throws {
      try Tally.over(Array(0..<40)) { seed, tally in
        var generator = RandomGenerator(case: seed)
        let d = seed % 2 == 0 ? 2 : 3
        let points = PersistenceDelaunayTests.cloud(
          &generator, dimension: d, count: generator.integer(d + 1...30))
        let (filtration, complex) = try SheafFiltration.alpha(points: points)
        let cofaces = complex.complex.cofaces()
        for cell in complex.complex.cells(ofDimension: 1).lowerBound..<complex.complex.count {
          let vertices = complex.simplices[cell].map { Int($0) }
          guard let ball = SheafFiltration.circumball(vertices, points) else { continue }
          let distances = (0..<points.columns).filter { !vertices.contains($0) }.map { j in
            SheafFiltration.distance(points.columns(j..<j + 1).elements, ball.center)
          }
          // What is inside by rounding may be outside.
          if distances.contains(where: { abs($0 / ball.radius - 1) < 1e-7 }) { continue }
          let isEmpty = vertices.count == d + 1 || distances.allSatisfy { $0 > ball.radius }
          // No larger than a ball around all points.
          let expected = min(
            isEmpty
              ? ball.radius : cofaces.of(cell).map { filtration.values[$0.cell] }.min() ?? .nan,
            Self.radius(points))
          tally.expect(
            abs(filtration.values[cell] - expected) <= 1e-7 * expected,
            "seed \(seed): \(vertices) at \(filtration.values[cell]), expected \(expected)")
        }
      }.check(atLeast: 2000)
    }

    /// Of a ball around the middle of the box that the points are in.
    private static func radius(_ points: Matrix) -> Double {
      let middle = (0..<points.rows).map { i in
        let row = (0..<points.columns).map { points[i, $0] }
        return (row.min()! + row.max()!) / 2
      }
      return (0..<points.columns).map {
        SheafFiltration.distance(points.columns($0..<$0 + 1).elements, middle)
      }.max()!
    }

    /// The nerve theorem: the bars are those of the Čech filtration, in whatever position.
    @Test func barsAreThoseOfTheCechFiltration() throws {
      try Tally.over(Array(0..<120)) { seed, tally in
        var generator = RandomGenerator(case: seed)
        let d = seed % 2 == 0 ? 2 : 3
        let points = Self.points(&generator, dimension: d, kind: Int(seed / 2) % 6)
        let alpha = try SheafFiltration.alpha(points: points).filtration
        let cech = try SheafFiltration.cech(points: points, maximumDimension: d)
        let found = try alpha.barcode(over: .prime(2))
        let expected = try cech.barcode(over: .prime(2), maximumDegree: d - 1)
        tally.expect(found[d].isEmpty, "seed \(seed): bars of degree \(d)")
        for q in 0..<d {
          let distance = found.bottleneckDistance(to: expected, degree: q)
          tally.expect(
            distance < 1e-8, "seed \(seed), kind \(seed / 2 % 6), degree \(q): \(distance)")
        }
      }.check(atLeast: 400)
    }

    /// Up to 12 points: in general position; in boxes of a grid, some repeated; a grid, turned, moved a little; on a
    /// sphere and its centre; on a line or plane.
    private static func points(
      _ generator: inout RandomGenerator, dimension d: Int, kind: Int
    ) -> Matrix {
      let count = generator.integer(1...(d == 2 ? 12 : 10))
      let grid = Clouds.grid(d == 2 ? [4, 3] : [2, 2, 3])
      switch kind {
      case 0: return PersistenceDelaunayTests.cloud(&generator, dimension: d, count: count)
      case 1:
        return Matrix(
          rows: d, columns: count,
          columnMajor: (0..<d * count).map { _ in Double(generator.integer(0...2)) })
      case 2: return generator.rotation(d) * grid
      case 3:
        let scale = pow(10, generator.uniform(-17, -3))
        return Clouds.moved(generator.rotation(d) * grid, by: scale, &generator)
      case 4:
        var points = generator.normalMatrix(rows: d, columns: count)
        for j in 0..<count {
          let length = points.columns(j..<j + 1).elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
          for i in 0..<d { points[i, j] /= j == 0 ? .infinity : length }
        }
        return points
      default:
        let rank = generator.integer(1...d - 1)
        return generator.rotation(d).columns(0..<rank)
          * PersistenceDelaunayTests.cloud(&generator, dimension: rank, count: count)
      }
    }

    /// A cubic lattice: edges join all, squares fill its loops, cubes its voids. Moved by ε at random it has these bars
    /// up to a few ε, whatever ε: also where it is rounding, or where Delaunay's cells are as flat as ε.
    @Test func latticesHaveTheirBars() throws {
      try Tally.over(Array(0..<60)) { seed, tally in
        var generator = RandomGenerator(case: seed)
        let sizes = [[6, 5], [4, 4, 4], [1, 7], [2, 3, 4], [3, 3, 1], [3, 3, 3]][Int(seed) % 6]
        let grid =
          seed % 4 < 2 ? Clouds.grid(sizes) : generator.rotation(sizes.count) * Clouds.grid(sizes)
        let step = seed < 12 ? 0 : pow(10, generator.uniform(-17, -4))
        let found = try SheafFiltration.alpha(points: Clouds.moved(grid, by: step, &generator))
          .filtration.barcode(over: .prime(2))
        let expected = Self.barcode(lattice: sizes)
        for q in 0...2 {
          let distance = found.bottleneckDistance(to: expected, degree: q)
          tally.expect(
            distance < 10 * step + 1e-12,
            "seed \(seed), \(sizes) moved by \(step), degree \(q): \(distance)")
        }
      }.check(atLeast: 180)
    }

    private static func barcode(lattice sizes: [Int]) -> Barcode {
      let cells = CellComplex.grid(sizes).cellCounts + [0, 0, 0]
      let (half, diagonal) = (0.5, 0.5 * 2.0.squareRoot())
      var bars = (0..<cells[0]).map {
        PersistenceInterval(degree: 0, birth: 0, death: $0 == 0 ? .infinity : half)
      }
      for _ in 0..<cells[1] - cells[0] + 1 {
        bars.append(PersistenceInterval(degree: 1, birth: half, death: diagonal))
      }
      for _ in 0..<cells[3] {
        bars.append(PersistenceInterval(degree: 2, birth: diagonal, death: 0.5 * 3.0.squareRoot()))
      }
      return Barcode(bars)
    }

    /// n points on a circle: neighbours at sin(π/n), the disc at 1.
    @Test func regularPolygonsAreCircles() throws {
      for n in [3, 4, 5, 6, 12, 60, 500] {
        let points = Matrix(
          rows: 2, columns: n,
          columnMajor: (0..<n).flatMap { i in
            let angle = 2 * Double.pi * Double(i) / Double(n)
            return [cos(angle), sin(angle)]
          })
        let barcode = try SheafFiltration.alpha(points: points).filtration.barcode(over: .prime(2))
        let long = barcode[1].filter { $0.length > 1e-9 }
        let gap = sin(Double.pi / Double(n))
        #expect(
          barcode[0].filter { $0.death < .infinity }.allSatisfy { abs($0.death - gap) < 1e-9 })
        #expect(barcode[0].count == n)
        // The hypotenuse of a triangle with the angle π/2 or less is not longer than its circle.
        #expect(long.count == 1 && abs(long[0].birth - gap) < 1e-9 && abs(long[0].death - 1) < 1e-9)
      }
    }

    /// Values are lengths: they scale with the points and do not change with the place.
    @Test func valuesAreLengths() throws {
      var generator = RandomGenerator(case: 5)
      for d in 2...3 {
        let points = PersistenceDelaunayTests.cloud(&generator, dimension: d, count: 25)
        let values = try SheafFiltration.alpha(points: points).filtration.values
        for scale in [0x1p-500, 0x1p-3, 0x1p900] {
          let scaled = try SheafFiltration.alpha(points: Clouds.scaled(points, scale)).filtration
            .values
          #expect(scaled == values.map { scale * $0 })
        }
        var moved = points
        for j in 0..<25 { moved[0, j] += 1024 }
        let barcode = try SheafFiltration.alpha(points: points).filtration.barcode(over: .prime(2))
        let other = try SheafFiltration.alpha(points: moved).filtration.barcode(over: .prime(2))
        for q in 0..<d { #expect(barcode.bottleneckDistance(to: other, degree: q) < 1e-9) }
      }
    }

    @Test func theDimensionAndTheStalkAreGiven() throws {
      let points = Clouds.grid([3, 3])
      let (edges, complex) = try SheafFiltration.alpha(
        points: points, maximumDimension: 1, stalk: 2)
      #expect(complex.complex.dimension == 1 && edges.sheaf.stalk(of: 0) == 2)
      #expect(try edges.barcode(over: .prime(3))[0].count == 18)
      #expect(
        try SheafFiltration.alpha(points: points, maximumDimension: 0).complex.vertexCount == 9)
      #expect(throws: PersistenceError.self) {
        try SheafFiltration.alpha(points: points, memoryLimit: 100)
      }
      let none = try SheafFiltration.alpha(points: Matrix(rows: 3, columns: 0)).filtration
      #expect(try none.barcode(over: .prime(2)).intervals.isEmpty)
    }
  }
#endif
