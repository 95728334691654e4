import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafPersistence
import Testing

/// Cycles of bars, and representatives of small support.
@Suite struct PersistenceCycleTests {
  /// The bars are those of cohomology. Each cycle is on the cells up to its birth and has no boundary; the cycles of
  /// the bars at a are a basis of H_q(X_a); one that ends is a boundary from its death on.
  @Test func cyclesAreBasesOfHomology() throws {
    try Tally.over(Array(0..<80)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let filtration = generator.filtration()
      let sheaf = filtration.sheaf
      for field in PersistenceBarcodeTests.fields {
        for q in 0...max(sheaf.complex.dimension, 0) {
          let bars = try filtration.barcode(over: field)[q]
          let cycles = try filtration.cycles(q, over: field)
          tally.expect(
            cycles.map { [$0.interval.birth, $0.interval.death] }
              == bars.map { [$0.birth, $0.death] },
            "seed \(seed) over \(field), degree \(q): \(cycles.map(\.interval)), expected \(bars)")
          guard case .prime(let p) = field, p < 10 else { continue }
          func boundaries(_ a: Double) -> [[Int]] {
            let rows = filtration.coordinates(q, upTo: a)
            return rows.isEmpty
              ? []
              : DenseResidues.block(
                sheaf.coboundary(q), rows: filtration.coordinates(q + 1, upTo: a),
                columns: Array(0..<sheaf.cochainDimension(q)), modulo: p)
          }
          let chains = cycles.map { Self.dense($0.cycle, sheaf, q).map { (Int($0) % p + p) % p } }
          let boundary = DenseResidues.transposed(
            DenseResidues.block(
              sheaf.coboundary(q - 1), rows: Array(0..<sheaf.cochainDimension(q)),
              columns: Array(0..<sheaf.cochainDimension(q - 1)), modulo: p))
          for (cycle, z) in zip(cycles, chains) {
            let there = filtration.coordinates(q, upTo: cycle.interval.birth)
            tally.expect(
              z.indices.allSatisfy { z[$0] == 0 || there.contains($0) }
                && boundary.allSatisfy { zip($0, z).reduce(0) { $0 + $1.0 * $1.1 } % p == 0 },
              "seed \(seed) over GF(\(p)): \(cycle)")
            guard cycle.interval.death < .infinity else { continue }
            let last = boundaries(cycle.interval.death)
            tally.expect(
              DenseResidues.rank(last + [z], modulo: p) == DenseResidues.rank(last, modulo: p),
              "seed \(seed) over GF(\(p)): \(cycle) does not end")
          }
          for a in filtration.steps {
            let there = zip(cycles, chains).filter { $0.0.interval.contains(a) }.map(\.1)
            let images = boundaries(a)
            tally.expect(
              DenseResidues.rank(images + there, modulo: p)
                == DenseResidues.rank(images, modulo: p) + there.count,
              "seed \(seed) over GF(\(p)), degree \(q) at \(a): dependent classes")
          }
        }
      }
    }.check(atLeast: 1500)
  }

  static func dense(
    _ sparse: PersistenceInterval.Representative, _ sheaf: CellularSheaf, _ q: Int
  ) -> [Double] {
    var x = [Double](repeating: 0, count: sheaf.cochainDimension(q))
    for (i, value) in zip(sparse.coordinates, sparse.values) { x[i] = value }
    return x
  }

  /// Three by three squares without the one in the middle, all at 0: the shortest loop are the four edges around
  /// the hole, the smallest cocycle two edges on a way from the hole out of the square. With long edges around the
  /// hole another loop is shorter.
  @Test func aSquareWithAHole() throws {
    let grid = CellComplex.path(4).product(.path(4))
    let middle = grid.cells(ofDimension: 2).lowerBound + 4
    let (part, cells) = CellularSheaf.constant(on: grid).restricted(
      to: Set(0..<grid.count).subtracting([middle]))
    let filtration = try SheafFiltration(part, values: cells.map { _ in 0 })
    let edges = part.complex.cells(ofDimension: 1)
    let around = Set(
      grid.incidences(of: middle).map { cells.firstIndex(of: grid.face($0))! })
    #expect(around.count == 4)
    for field in [SheafFiltration.Coefficients.rational, .real()] {
      let cycle = try filtration.cycles(1, over: field)
      try #require(cycle.count == 1)
      let loop = try filtration.localized(cycle[0])
      #expect(Set(loop.cells) == around && loop.values.allSatisfy { abs($0) == 1 })
      #expect(loop.size == 4 && loop.lowerBound > 3.96 && loop.lowerBound <= 4 + 1e-6)
      #expect(loop.status == .converged)
      let far = try filtration.localized(
        cycle[0], weights: edges.map { around.contains($0) ? 10 : 1 })
      #expect(far.size == 12 && far.cells.count == 12)
      let bar = try filtration.barcode(over: field, findingRepresentatives: true)[1]
      try #require(bar.count == 1)
      let cocycle = try filtration.localized(bar[0])
      #expect(cocycle.size == 2 && cocycle.cells.count == 2)
      #expect(!Set(cocycle.cells).isDisjoint(with: around))
    }
  }

  /// A loop is short when it is born, whatever comes later: six points on a circle and one further out.
  @Test func aLoopOfACloud() throws {
    let angles = (0..<6).map { Double($0) * .pi / 3 }
    let points = Matrix(
      rows: 2, columns: 8,
      columnMajor: angles.flatMap { [cos($0), sin($0)] } + [1.5, 0.9, 1.9, 0.2])
    let (filtration, complex) = try SheafFiltration.vietorisRips(
      points: points, radius: 2.5, maximumDimension: 2)
    let longest = try #require(
      try filtration.cycles(1, over: .rational).max { $0.interval.length < $1.interval.length })
    #expect(abs(longest.interval.length - (3.0.squareRoot() - 1)) < 1e-12)
    let lengths = complex.complex.cells(ofDimension: 1).map { filtration.values[$0] }
    let loop = try filtration.localized(longest, weights: lengths)
    #expect(abs(loop.size - 6) < 1e-9, "\(loop)")
    #expect(
      Set(loop.cells.flatMap { complex.simplices[$0].map { Int($0) } }) == Set(0..<6))
  }

  /// On random weighted sheaves the class stays and the sum does not grow, and is within the bound.
  @Test func localizedRepresentativesKeepTheirClasses() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var generator = RandomGenerator(case: 2000 + seed)
      let whole = generator.filtration()
      let sheaf =
        seed % 2 == 0
        ? whole.sheaf : try whole.sheaf.weighted(generator.weights(whole.sheaf.stalks))
      let filtration = try SheafFiltration(sheaf, values: whole.values)
      for q in 0...max(sheaf.complex.dimension, 0) {
        let weights = sheaf.complex.cells(ofDimension: q).map { _ in generator.uniform(0.5, 2) }
        for bar in try filtration.barcode(
          over: seed % 3 == 0 ? .rational : .real(), findingRepresentatives: true)[q]
        {
          let x = Self.dense(bar.representative!, sheaf, q)
          let found = try filtration.localized(bar, weights: weights)
          let cells = { (k: Int) in
            sheaf.complex.cells(ofDimension: k).filter { filtration.values[$0] < bar.death }
          }
          let (rows, columns) = (sheaf.coordinates(cells(q)), sheaf.coordinates(cells(q - 1)))
          Self.check(
            found, x, sheaf.coboundary(q - 1), rows, columns, cells(q),
            weights: weights, sheaf, q, isCochain: true
          ) { tally.expect($0, "seed \(seed), \(bar): \($1)") }
        }
        for cycle in try filtration.cycles(q, over: seed % 3 == 0 ? .rational : .real()) {
          let found = try filtration.localized(cycle, weights: weights)
          let cells = { (k: Int) in
            sheaf.complex.cells(ofDimension: k).filter {
              filtration.values[$0] <= cycle.interval.birth
            }
          }
          let (rows, columns) = (sheaf.coordinates(cells(q)), sheaf.coordinates(cells(q + 1)))
          Self.check(
            found, Self.dense(cycle.cycle, sheaf, q), sheaf.coboundaryTransposed(q), rows, columns,
            cells(q), weights: weights, sheaf, q, isCochain: false
          ) { tally.expect($0, "seed \(seed), \(cycle): \($1)") }
        }
      }
    }.check(atLeast: 1000)
  }

  private static func check(
    _ found: LocalizedRepresentative, _ x: [Double], _ map: SparseMatrix, _ rows: [Int],
    _ columns: [Int], _ cells: [Int], weights: [Double], _ sheaf: CellularSheaf, _ q: Int,
    isCochain: Bool, _ expect: (Bool, String) -> Void
  ) {
    let z = dense(.real(coordinates: found.coordinates, values: found.values), sheaf, q)
    let scale = max(1, x.reduce(0) { max($0, abs($1)) })
    expect(z.indices.allSatisfy { z[$0] == 0 || rows.contains($0) }, "cells of later")
    // The part of z − x beside the images of the map, by least squares.
    let dense = map.dense
    var images = Matrix(rows: rows.count, columns: columns.count)
    for (i, row) in rows.enumerated() {
      for (j, column) in columns.enumerated() { images[i, j] = dense[row, column] }
    }
    var rest = rows.map { z[$0] - x[$0] }
    // Twice, as rounding needs it.
    var basis: [[Double]] = []
    for j in 0..<images.columns {
      var v = images.column(j)
      let before = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for _ in 0..<2 { v = orthogonal(v, basis) }
      let size = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if size > 1e-9 * before { basis.append(v.map { $0 / size }) }
    }
    for _ in 0..<2 { rest = orthogonal(rest, basis) }
    let off = rest.reduce(0) { max($0, abs($1)) }
    expect(off < 1e-4 * scale, "another class, by \(off)")
    let first = sheaf.complex.cells(ofDimension: q).lowerBound
    func size(_ v: [Double]) -> Double {
      let u = isCochain ? sheaf.orthonormal(Matrix(column: v), degree: q).elements : v
      return cells.reduce(0) { sum, cell in
        sum + weights[cell - first]
          * sheaf.range(of: cell).reduce(0) { $0 + u[$1] * u[$1] }.squareRoot()
      }
    }
    expect(abs(size(z) - found.size) < 1e-9 * max(1, found.size), "not its size")
    expect(found.size <= size(x) * 1.0101 + 1e-5, "\(found.size) of \(size(x))")
    expect(
      found.lowerBound <= found.size * (1 + 1e-5) + 1e-6
        && found.size <= 1.0102 * found.lowerBound + 1e-4 * scale,
      "\(found.size), bound \(found.lowerBound)")
    expect(found.status == .converged, "\(found.status)")
  }

  private static func orthogonal(_ v: [Double], _ basis: [[Double]]) -> [Double] {
    basis.reduce(v) { v, e in
      let c = zip(v, e).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(v, e).map { $0 - c * $1 }
    }
  }

  /// Over GF(2) the projective plane has a class of degree 1 that no real cocycle has.
  @Test func whatIsNoRealClass() throws {
    let complex = Spaces.projectivePlane.complex
    let filtration = try SheafFiltration(
      .constant(on: complex), values: (0..<complex.count).map { _ in 0 })
    let bar = try filtration.barcode(over: .prime(2), findingRepresentatives: true)[1]
    #expect(throws: PersistenceError.self) { try filtration.localized(bar[0]) }
    let cycle = try filtration.cycles(1, over: .prime(2))
    #expect(throws: PersistenceError.self) { try filtration.localized(cycle[0]) }
    #expect(throws: PersistenceError.self) {
      try filtration.localized(try filtration.barcode(over: .rational)[0][0])
    }
    #expect(try filtration.cycles(3, over: .prime(2)).isEmpty)
  }
}
