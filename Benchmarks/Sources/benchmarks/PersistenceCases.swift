import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafPersistence

/// Vietoris–Rips barcodes to degree 1 without the complex, and on it with constant and with other stalks. The rivals, ripser and gudhi, are in
/// Scripts/compare-persistence.
@MainActor func measurePersistence() throws {
  try measure("persistence: Rips of 500 points in a cube and 1,000 on a torus") {
    [
      "cube": try best { _ = try Barcode.vietorisRips(points: cube(500)) },
      "torus": try best { _ = try Barcode.vietorisRips(points: torus(1000)) },
      "torusToDegree2": try best {
        _ = try Barcode.vietorisRips(points: torus(200), maximumDegree: 2)
      },
    ]
  }
  try measure("persistence: the complex of 500 points in a cube, radius 0.45") {
    var seconds: [String: Any] = [:]
    for (name, stalk) in [("constant", 1), ("stalk3", 3)] {
      let (filtration, complex) = try SheafFiltration.vietorisRips(
        points: cube(500), radius: 0.45, maximumDimension: 2, stalk: stalk)
      seconds["simplices"] = complex.complex.count
      seconds[name] = try best {
        _ = try filtration.barcode(over: .prime(2), maximumDegree: 1)
      }
    }
    let sheaf = try SheafFiltration.vietorisRips(
      points: cube(500), radius: 0.45, maximumDimension: 2
    )
    .filtration.sheaf
    seconds["coboundaries"] = try best { for k in 0...1 { _ = sheaf.coboundary(k) } }
    return seconds
  }
}

/// The best time of three runs, in seconds.
private func best(_ body: () throws -> Void) rethrows -> Double {
  var least = Double.infinity
  for _ in 0..<3 { least = min(least, try ContinuousClock().measure(body) / .seconds(1)) }
  return least
}

private func cube(_ n: Int) -> Matrix {
  var g = RandomGenerator(seed: 1)
  return Matrix(rows: 3, columns: n, columnMajor: (0..<3 * n).map { _ in g.uniform() })
}

private func torus(_ n: Int) -> Matrix {
  var g = RandomGenerator(seed: 2)
  var points = Matrix(rows: 3, columns: n)
  for j in 0..<n {
    let (a, b) = (g.uniform(0, 2 * .pi), g.uniform(0, 2 * .pi))
    points[0, j] = (2 + cos(a)) * cos(b)
    points[1, j] = (2 + cos(a)) * sin(b)
    points[2, j] = sin(a)
  }
  return points
}
