import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafInference

/// Fusion by the largest residual.
struct MinimaxFusionTests {
  /// Readings, standard deviations, maps and weights on a cycle of four vertices; the least largest residual by scipy 1.17's
  /// `linprog` in the agreement model, and over the sections on the path.
  private static let programs:
    [([Double], [Double], [[Double]], [Double], agreement: Double, section: Double)] = [
      (
        [0.0, 0.3, -0.27, -0.89], [0.95, 1.81, 0.51, 1.73],
        [[1.7, 1.2], [0.95, 0.92], [0.88, 1.17], [1.26, 1.33]], [2.99, 2.44, 1.98, 2.97],
        0.285649652501181, 0.358126548736539
      ),
      (
        [-1.84, -0.24, -1.27, 0.27], [0.55, 1.27, 1.2, 1.88],
        [[1.44, 1.27], [1.25, 0.87], [0.52, 0.79], [1.54, 0.8]], [1.3, 0.31, 2.54, 0.72],
        0.71445155184986, 0.975009355898374
      ),
      (
        [-0.11, 0.11, 0.06, -1.23], [1.46, 1.61, 0.64, 1.31],
        [[1.26, 1.81], [1.04, 1.4], [0.59, 1.08], [0.98, 0.73]], [2.5, 1.32, 2.94, 1.89],
        0.574083684470666, 0.760879268020531
      ),
    ]

  @Test func minimaxOfNumbersIsALinearProgram() throws {
    for (y, s, maps, w, agreement, section) in Self.programs {
      let readings = Assignment(
        Dictionary(
          uniqueKeysWithValues: (0..<4).map {
            ($0, .init([y[$0]], covariance: .scalar(s[$0] * s[$0])))
          }))
      let cycle = try CellularSheaf(
        .graph(vertices: 4, edges: [(0, 1), (1, 2), (2, 3), (3, 0)]),
        stalks: [Int](repeating: 1, count: 8),
        weights: [.standard, .standard, .standard, .standard] + w.map { .scalar($0) }
      ) { .scalar(maps[$0 / 2][$0 % 2]) }
      let near = try MinimaxFusion(cycle, readings, model: .agreement)
      #expect(abs(near.radius - agreement) < 1e-7 && near.isCertified && near.status == .converged)
      #expect(near.lowerBound <= near.radius + 1e-12 && near.lowerBound > near.radius - 1e-6)
      let path = try CellularSheaf(
        .graph(vertices: 4, edges: [(0, 1), (1, 2), (2, 3)]), stalks: [Int](repeating: 1, count: 7)
      ) { .scalar(maps[$0 / 2][$0 % 2]) }
      let exact = try MinimaxFusion(path, readings)
      #expect(abs(exact.radius - section) < 1e-7)
      let x = (0..<4).map { exact.value(of: $0)![0] }
      for e in 0..<3 { #expect(abs(maps[e][0] * x[e] - maps[e][1] * x[e + 1]) < 1e-9) }
      #expect(abs((0..<4).map { abs(x[$0] - y[$0]) / s[$0] }.max()! - section) < 1e-7)
    }
  }

  /// The centre of the smallest circle about some points, by all pairs and triples of them.
  @Test func minimaxOfPointsIsTheSmallestCircle() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...9)
      let points = (0..<n).map { _ in [g.normal(), g.normal()] }
      func radius(_ c: [Double]) -> Double {
        points.reduce(0) {
          max($0, (($1[0] - c[0]) * ($1[0] - c[0]) + ($1[1] - c[1]) * ($1[1] - c[1])).squareRoot())
        }
      }
      var least = Double.infinity
      for i in 0..<n {
        for j in 0..<i {
          least = min(
            least, radius([(points[i][0] + points[j][0]) / 2, (points[i][1] + points[j][1]) / 2]))
          for k in 0..<j {
            let (a, b, c) = (points[i], points[j], points[k])
            let m = Matrix([[b[0] - a[0], b[1] - a[1]], [c[0] - a[0], c[1] - a[1]]])
            func square(_ p: [Double]) -> Double { p[0] * p[0] + p[1] * p[1] }
            guard
              let x = try? m.solve(
                Matrix(column: [(square(b) - square(a)) / 2, (square(c) - square(a)) / 2]))
            else { continue }
            least = min(least, radius(x.column(0)))
          }
        }
      }
      let found = try MinimaxFusion(
        .constant(2, on: .path(n)),
        Assignment(values: Dictionary(uniqueKeysWithValues: points.enumerated().map { ($0, $1) })))
      #expect(abs(found.radius - least) < 1e-7, "seed \(seed): \(found.radius), \(least)")
      #expect(abs(radius(found.value(of: n)!) - least) < 1e-7, "seed \(seed)")
    }
  }

  /// Of partial assignments too, where values are free.
  @Test func minimaxLeavesFreeWhatIsFree() throws {
    let sheaf = try CellularSheaf(
      .graph(vertices: 4, edges: [(0, 1)]), stalks: [1, 1, 2, 1, 1]
    ) { _ in .identity }
    for model in FusionModel.allCases {
      let found = try MinimaxFusion(
        sheaf, Assignment(values: [0: [0], 1: [2], 3: [5]]), model: model)
      #expect(found.status == .converged)
      // x₀ and x₁ in the middle; or three equal parts.
      #expect(abs(found.radius - (model == .section ? 1 : 2.0 / 3)) < 1e-7, "\(found.radius)")
    }
  }
}
