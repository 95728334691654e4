import CSparseRivals
import CellComplexes
import CellularSheaves
import ExactAlgebra
import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafCohomology
import SparseFactorizations

/// General sheaves: assembly, harmonic extension beside CHOLMOD on the same matrix, products beside a plain loop,
/// complexes and exact ranks.
@MainActor func measureSheaves() throws {
  try measure("sheaves path 500, stalk 2") { try path() }
  try measure("sheaves grid of a million vertices") {
    let complex = try CellComplex.lattice(1000, 1000)
    return try harmonicExtension(.constant(1, on: complex), fixed: 100)
  }
  try measure("sheaves geometric graph of 100000 vertices, stalk 3") {
    try harmonicExtension(geometricSheaf(100_000, stalk: 3, degree: 8), fixed: 100)
  }
  try measure("sheaves Laplacian products") { try products() }
  try measure("sheaves Vietoris-Rips of 2000 points") { try rips() }
  try measure("sheaves ranks over GF(p), 100000 cells") { try ranks() }
  try measure("sheaves neural sheaf of a convolution") { try convolution() }
}

private func time<T>(_ rounds: Int, _ work: () throws -> T) rethrows -> (milliseconds: Double, T) {
  var (best, result) = (Double.infinity, T?.none)
  for _ in 0..<rounds {
    let time = try ContinuousClock().measure { result = try work() }
    best = min(best, time / .milliseconds(1))
  }
  return (best, result!)
}

extension CellComplex {
  /// The graph of a grid in the plane.
  static func lattice(_ m: Int, _ n: Int) throws -> CellComplex {
    var edges: [(Int, Int?)] = []
    edges.reserveCapacity(2 * m * n)
    for i in 0..<m {
      for j in 0..<n {
        if j + 1 < n { edges.append((i * n + j, i * n + j + 1)) }
        if i + 1 < m { edges.append((i * n + j, (i + 1) * n + j)) }
      }
    }
    return try .graph(vertices: m * n, edges: edges)
  }
}

/// Transports by random rotations along a path.
private func path() throws -> [String: Any] {
  var g = RandomGenerator(seed: 1)
  let complex = CellComplex.path(500)
  let sheaf = try CellularSheaf(
    complex, stalks: [Int](repeating: 2, count: complex.count)
  ) { _ in
    let angle = g.uniform(0, 2 * .pi)
    return .matrix(Matrix([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]))
  }
  let (assembly, _) = time(50) { SheafLaplacian(sheaf, degree: 0) }
  let ends = [0, 1, 998, 999]
  let values = g.normalMatrix(rows: 4, columns: 1)
  let (harmonic, found) = try time(50) {
    try HarmonicExtension(of: values, on: ends, in: sheaf)
  }
  let cochain = g.normalMatrix(rows: 1000, columns: 1)
  let (nearest, section) = try time(50) { try NearestCocycle(to: cochain, in: sheaf) }
  return [
    "assemblyMilliseconds": assembly, "harmonicMilliseconds": harmonic,
    "nearestSectionMilliseconds": nearest, "residual": found.residual,
    "sectionResidual": section.residual, "sectionMethod": section.method.rawValue,
  ]
}

func geometricSheaf(_ n: Int, stalk d: Int, degree: Double) throws -> CellularSheaf {
  var g = RandomGenerator(seed: 2)
  let points = Matrix(rows: 2, columns: n, columnMajor: (0..<2 * n).map { _ in g.uniform() })
  let complex = try SimplicialComplex.vietorisRips(
    points: points, radius: (degree / (.pi * Double(n))).squareRoot(), maximumDimension: 1
  ).complex
  let sheaf = try CellularSheaf.random(
    on: complex, stalks: [Int](repeating: d, count: complex.count), using: &g)
  // Some vertices are alone, and CHOLMOD has no factor where one of them is free: the largest part is left.
  let graph = SheafLaplacian(.constant(1, on: complex), degree: 0).triangle
  let largest = graph.connectedComponents.max { $0.count < $1.count }!
  return sheaf.restricted(to: complex.openStar(largest)).sheaf
}

/// One vertex in so many is fixed.
private func harmonicExtension(_ sheaf: CellularSheaf, fixed: Int) throws -> [String: Any] {
  var g = RandomGenerator(seed: 3)
  let vertices = sheaf.complex.cells(ofDimension: 0)
  let chosen = vertices.filter { _ in g.uniform() < 1 / Double(fixed) }
  let coordinates = sheaf.coordinates(chosen)
  let values = g.normalMatrix(rows: coordinates.count, columns: 1)
  let before = peak_megabytes()
  var (milliseconds, found) = try time(1) {
    try HarmonicExtension(of: values, on: coordinates, in: sheaf)
  }
  let after = peak_megabytes()
  // The same system for CHOLMOD.
  let (coboundary, transpose) = time(2) { sheaf.coboundaryTransposed(0) }
  let held = Set(coordinates)
  let free = (0..<transpose.rows).filter { !held.contains($0) }
  let (choosing, rows) = time(2) { transpose.part(rows: free) }
  let (assembly, triangle) = time(2) { rows.outerGram }
  let right = rows(transpose.part(rows: coordinates).adjoint(values))
  var isFree = [Bool](repeating: true, count: transpose.rows)
  for i in coordinates { isFree[i] = false }
  var given = Matrix(rows: transpose.rows, columns: 1)
  for (i, row) in coordinates.enumerated() { given[row, 0] = values[i, 0] }
  let (assembling, system) = time(2) {
    EnergySystem(sheaf, degree: 0, isFree: isFree, values: given)
  }
  let (analysing, analysis) = try time(2) { try SparseCholesky.Analysis(system.triangle) }
  let (factoring, factor) = try time(2) {
    try SparseCholesky(system.triangle, using: analysis)
  }
  let (solving, _) = try time(2) {
    var b = system.right
    try factor.solve(&b)
    return b
  }
  let (parting, _) = time(2) { system.triangle.connectedComponents }
  let indices = triangle.rowIndices.map { Int64($0) }
  let starts = triangle.columnStarts.map { Int64($0) }
  var (rival, entries, memory) = (Double.infinity, Int64(0), Int64(0))
  var x = right.elements
  // In turns: what the allocator has learnt serves both.
  for _ in 0..<4 {
    x = right.elements.map { -$0 }
    let time = ContinuousClock().measure {
      entries = cholmod_system(
        Int64(free.count), starts, indices, triangle.values, &x, &memory)
    }
    rival = min(rival, time / .milliseconds(1))
    let ours = try ContinuousClock().measure {
      found = try HarmonicExtension(of: values, on: coordinates, in: sheaf)
    }
    milliseconds = min(milliseconds, ours / .milliseconds(1))
  }
  var difference = 0.0
  for (i, row) in free.enumerated() {
    difference = max(difference, abs(found.cochains[row, 0] - x[i]))
  }

  return [
    "freeCoordinates": free.count, "milliseconds": milliseconds,
    "coboundaryMilliseconds": coboundary, "restrictionMilliseconds": choosing,
    "gramMilliseconds": assembly, "systemMilliseconds": assembling,
    "analysisMilliseconds": analysing, "factorMilliseconds": factoring,
    "solveMilliseconds": solving, "componentsMilliseconds": parting,
    "cholmodMilliseconds": rival, "ratio": milliseconds / rival, "factorEntries": entries,
    "method": found.method.rawValue, "residual": found.residual,
    "differenceFromCholmod": difference, "condition": found.condition ?? -1,
    "freedom": found.freedom ?? -1, "peakMegabytesBefore": before,
    "peakMegabytesAfter": after, "cholmodMegabytes": memory,
    "matrixAndFactorMegabytes": (Int(entries) * 8 + triangle.values.count * 12) >> 20,
  ]
}

private func products() throws -> [String: Any] {
  let sheaf = CellularSheaf.constant(1, on: .grid([60, 60, 60]))
  let laplacian = SheafLaplacian(sheaf, degree: 1).laplacian
  var g = RandomGenerator(seed: 4)
  let x = g.normalMatrix(rows: laplacian.rows, columns: 1)
  var y = x
  let starts = laplacian.matrix.columnStarts.map { Int64($0) }
  var image = x.elements
  // Taken in turns.
  var (ours, plain) = (Double.infinity, Double.infinity)
  for _ in 0..<30 {
    ours = min(ours, time(1) { laplacian.apply(x, into: &y) }.milliseconds)
    plain = min(
      plain,
      time(1) {
        plain_product(
          Int64(laplacian.rows), starts, laplacian.matrix.rowIndices, laplacian.matrix.values,
          x.elements, &image)
      }.milliseconds)
  }
  return [
    "order": laplacian.rows, "entries": laplacian.matrix.values.count, "milliseconds": ours,
    "plainMilliseconds": plain, "ratio": ours / plain,
  ]
}

private func rips() throws -> [String: Any] {
  var g = RandomGenerator(seed: 5)
  let n = 2000
  let points = Matrix(rows: 3, columns: n, columnMajor: (0..<3 * n).map { _ in g.uniform() })
  let radius = pow(30 / (4 * .pi / 3 * Double(n)), 1.0 / 3)
  let (milliseconds, complex) = try time(3) {
    try SimplicialComplex.vietorisRips(points: points, radius: radius, maximumDimension: 2)
  }
  let (cohomology, betti) = try time(1) {
    try CellularSheaf.constant(1, on: complex.complex).exactCohomology(over: .prime(2)).betti
  }
  return [
    "cells": complex.complex.cellCounts, "milliseconds": milliseconds,
    "cohomologyMilliseconds": cohomology, "betti": betti,
  ]
}

private func ranks() throws -> [String: Any] {
  let sheaf = CellularSheaf.constant(1, on: .grid([23, 23, 23], isPeriodic: true))
  let (milliseconds, exact) = try time(3) {
    try sheaf.exactCohomology(over: .prime(2_147_483_647))
  }
  return ["cells": sheaf.complex.count, "milliseconds": milliseconds, "betti": exact.betti]
}

/// 16 channels of 32 × 32 pixels, 3 × 3 windows to 16 channels.
private func convolution() throws -> [String: Any] {
  let this = ConvolutionalCase.single(channels: 16, side: 32)
  let sheaf = NeuralSheaf(this.network)
  let patterns = sheaf.patterns(at: sheaf.forwardPass(this.input))
  let (milliseconds, general) = time(3) { sheaf.cellularSheaf(at: patterns) }
  let peak = peak_megabytes()
  let (laplacian, matrix) = time(1) { SheafLaplacian(general, degree: 0) }

  return [
    "milliseconds": milliseconds, "laplacianMilliseconds": laplacian,
    "entries": matrix.triangle.values.count,
    "peakMegabytesOfTheAssembly": peak,
  ]
}
