import CSparseRivals
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafInference

/// Consistency, fusion, anomalies and smoothing of readings on all vertices of a geometric graph, beside CHOLMOD solving the
/// same equations; the doubling of the graph shows whether times are linear in the edges.
@MainActor func measureInference() throws {
  for n in [25_000, 50_000, 100_000] {
    try measure("inference on a geometric graph of \(n) vertices, stalk 3") {
      try inference(geometricSheaf(n, stalk: 3, degree: 8))
    }
  }
}

private func seconds<T>(_ work: () throws -> T) rethrows -> (Double, T) {
  var result: T?
  let time = try ContinuousClock().measure { result = try work() }
  return (time / .seconds(1), result!)
}

private func inference(_ sheaf: CellularSheaf) throws -> [String: Any] {
  var g = RandomGenerator(seed: 5)
  let vertices = sheaf.complex.cells(ofDimension: 0)
  let values = g.normalMatrix(rows: sheaf.cochainDimension(0), columns: 1)
  let variance = 0.25
  let assignment = Assignment(
    Dictionary(
      uniqueKeysWithValues: vertices.map { v in
        (
          v,
          Assignment.Reading(
            Array(values.elements[sheaf.range(of: v)]),
            covariance: .diagonal([Double](repeating: variance, count: sheaf.stalk(of: v))))
        )
      }))
  let before = peak_megabytes()
  let (radius2, two) = try seconds { try Consistency(sheaf, assignment) }
  let (radiusInf, _) = try seconds { try Consistency(sheaf, assignment, norm: .infinity) }
  var settings = Fusion.Settings()
  settings.model = .agreement
  let (fusing, fusion) = try seconds { try Fusion(sheaf, assignment, settings: settings) }
  let (diagonals, _) = try seconds {
    try vertices.reduce(0.0) { sum, v in
      try sum + fusion.covariance(of: v)!.elements.reduce(0, +)
    }
  }
  let (scoring, anomalies) = try seconds { try Anomalies(fusion) }
  let (smoothing, smooth) = try seconds {
    try SignalSmoother(sheaf).smooth(values, by: .ridge(variance))
  }
  let after = peak_megabytes()
  // (1/v + L) x = y/v by CHOLMOD alone.
  let triangle = SheafLaplacian(sheaf, degree: 0).triangle
    .addingToDiagonal(1 / variance)
  let indices = triangle.rowIndices.map { Int64($0) }
  let starts = triangle.columnStarts.map { Int64($0) }
  var x = values.elements.map { $0 / variance }
  var (entries, memory) = (Int64(0), Int64(0))
  let (rival, _) = seconds {
    entries = cholmod_system(
      Int64(triangle.rows), starts, indices, triangle.values, &x, &memory)
  }
  var difference = 0.0
  for v in vertices {
    for (i, value) in zip(sheaf.range(of: v), fusion.value(of: v)!) {
      difference = max(difference, abs(value - x[i]), abs(smooth.cochains[i, 0] - x[i]))
    }
  }
  return [
    "edges": sheaf.complex.cells(ofDimension: 1).count, "unknowns": values.rows,
    "consistencySeconds": radius2, "robinsonSeconds": radiusInf, "fusionSeconds": fusing,
    "covarianceDiagonalsSeconds": diagonals, "anomaliesSeconds": scoring,
    "fusionAndAnomaliesSeconds": fusing + scoring, "smoothingSeconds": smoothing,
    "cholmodSeconds": rival, "fusionRatio": (fusing + diagonals) / rival,
    "smoothingRatio": smoothing / rival, "differenceFromCholmod": difference,
    "peakMegabytesBefore": before, "peakMegabytesAfter": after, "cholmodMegabytes": memory,
    "factorEntries": entries, "radius": two.radius,
    "reported": anomalies.entries.count { $0.qValue.map { $0 <= 0.05 } ?? false },
  ]
}
