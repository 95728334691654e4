import CSparseRivals
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCoarsening
import SheafCohomology

/// Kron reductions of graphs of 10⁵ vertices to 1 %, beside CHOLMOD's analysis, factorisation and one solution with the
/// same Laplacian plus 10⁻⁶; wavelets of as many vertices.
@MainActor func measureCoarsening() throws {
  try measure("coarsening: Kron reduction of a grid of 100000 vertices to 1000") {
    try reduction(.constant(on: .lattice(316, 316)))
  }
  try measure("coarsening: Kron reduction of a geometric graph of 100000 vertices to 1000") {
    try reduction(geometricSheaf(100_000, stalk: 1, degree: 8))
  }
  try measure("coarsening: wavelets on a grid of 16384 vertices") {
    let sheaf = CellularSheaf.constant(on: try .lattice(128, 128))
    let hierarchy = VertexHierarchy.blocks(height: 128, width: 128)
    var g = RandomGenerator(seed: 1)
    let c = g.normalMatrix(rows: 128 * 128, columns: 1)
    var wavelets: SheafWavelets?
    let made = try seconds { wavelets = try SheafWavelets(sheaf, hierarchy) }
    var coefficients = c
    let analysed = seconds { coefficients = wavelets!.analyse(c) }
    var error = wavelets!.synthesise(coefficients)
    error.add(c, scale: -1)
    return ["basis": made, "analysis": analysed, "error": error.maximumMagnitude]
  }
}

private func reduction(_ sheaf: CellularSheaf) throws -> [String: Any] {
  let n = sheaf.complex.cells(ofDimension: 0).count
  var g = RandomGenerator(seed: 1)
  let kept = Array(g.permutation(n).prefix(n / 100))
  let shifted = SheafLaplacian(sheaf, degree: 0).triangle.addingToDiagonal(1e-6)
  let rows = shifted.rowIndices.map { Int64($0) }
  let starts = shifted.columnStarts.map { Int64($0) }
  let cholmod = seconds {
    var x = [Double](repeating: 1, count: n)
    var megabytes: Int64 = 0
    _ = cholmod_system(Int64(n), starts, rows, shifted.values, &x, &megabytes)
  }
  let kron = try seconds { _ = try KronReduction(sheaf, keeping: kept) }
  return ["kron": kron, "cholmod": cholmod, "ratio": kron / cholmod]
}

/// The best time of three runs.
private func seconds(_ body: () throws -> Void) rethrows -> Double {
  var least = Double.infinity
  for _ in 0..<3 { least = min(least, try ContinuousClock().measure(body) / .seconds(1)) }
  return least
}
