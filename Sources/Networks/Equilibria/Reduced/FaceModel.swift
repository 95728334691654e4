import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The convex quadratic model of a reduced energy on the cells' faces, block of samples by block:
///
///     ½Σ κ (n + dn)² + ½Σ (r + L du)²/C + ⟨g, dz⟩ + ½‖Fᵀdz‖²,   (da, du) = δ_π⁻¹ dn,
///
/// n the discrepancies of outer coordinates, u predictions, and G(z + dz) ≈ ⟨g, dz⟩ + ½‖Fᵀdz‖² of a smooth output
/// edge. It is minimal at κ(n + dn) = δ_π⁻ᵀ(Lᵀf − g) with the forces f of
///
///     (C + L δ_π⁻¹ κ⁻¹ δ_π⁻ᵀ Lᵀ) f = L δ_π⁻¹(n + κ⁻¹δ_π⁻ᵀg) − r,
///
/// fewer than the outer coordinates by far; one product is a reverse and a forward sweep.
struct FaceModel: Sendable {
  let energy: PinnedEnergy
  let elimination: Elimination
  /// By sample.
  let cells: [SampleCells]
  let observations: [[Observation]]
  let outputs: [OutputModel]?
  /// By vertex, (dimension, samples): n and 1/κ at outer coordinates, 0 else.
  let noises: [Matrix]
  let compliances: [Matrix]

  /// The most forces of a sample.
  let rows: Int
  /// Cochains that nobody uses at the moment.
  let scratch: Scratch

  var network: Network { energy.sheaf.network }
  var batch: Int { cells.count }
  /// The forces of sample j; those beyond, up to `rows`, are 0.
  func forceCount(_ j: Int) -> Int {
    observations[j].count + (outputs.map { $0[j].factor.columns } ?? 0)
  }

  func samples(_ indices: [Int]) -> FaceModel {
    FaceModel(
      energy: energy.samples(indices), elimination: elimination, cells: indices.map { cells[$0] },
      observations: indices.map { observations[$0] },
      outputs: outputs.map { o in indices.map { o[$0] } },
      noises: noises.map { $0.columns(indices) },
      compliances: compliances.map { $0.columns(indices) },
      rows: rows, scratch: Scratch())
  }

  // MARK: Sweeps

  /// v ← δ_π⁻¹ v; `held` gets the predictions of what is held, in the order of pins.
  func substituteForward(_ v: inout [Matrix], held: inout [Matrix]) {
    for t in network.vertices.indices.dropFirst() {
      for e in network.incoming[t] { push(e, &v) }
      let pins = energy.pins.held(t)
      guard !pins.isEmpty else { continue }
      for j in 0..<batch {
        for (p, i) in pins.enumerated() {
          held[t][p, j] = v[t][i, j]
          v[t][i, j] = 0
        }
      }
    }
  }

  /// w ← δ_π⁻ᵀ w; what stands at held coordinates acts on their predictions.
  func substituteBackward(_ w: inout [Matrix]) {
    let seeds = network.vertices.indices.map { v in
      v == 0 || energy.pins.held(v).isEmpty
        ? nil : w[v][rows: energy.pins.held(v), columns: Array(0..<batch)]
    }
    for t in network.vertices.indices.dropFirst().reversed() {
      if let seeds = seeds[t] {
        for (p, i) in energy.pins.held(t).enumerated() {
          for j in 0..<batch { w[t][i, j] = seeds[p, j] }
        }
      }
      for e in network.incoming[t].reversed() { pull(e, &w) }
    }
  }

  /// v_t ← v_t + R_π v_s.
  private func push(_ e: Int, _ v: inout [Matrix]) {
    let edge = network.edges[e]
    let n = elimination.cellsOfEdge[e]
    guard n >= 0 else {
      guard n == -1, edge.source != 0 || energy.inputRole == .free else { return }
      let source = v[edge.source]
      edge.operation.addLinearPart(source, at: .affine, scale: 1, keeping: 1, into: &v[edge.target])
      return
    }
    let cell = elimination.cells[n]
    let (d, source) = (v[cell.source].rows, v[cell.source].elements)
    v[cell.target].update { target, rows in
      for j in 0..<batch {
        elimination.forEachEntry(of: cell, in: cells[j]) { row, i, weight in
          target[row + j * rows] += weight * source[i + j * d]
        }
      }
    }
  }

  /// w_s ← w_s + R_πᵀ w_t.
  private func pull(_ e: Int, _ w: inout [Matrix]) {
    let edge = network.edges[e]
    let n = elimination.cellsOfEdge[e]
    guard n >= 0 else {
      guard n == -1, edge.source != 0 || energy.inputRole == .free else { return }
      let target = w[edge.target]
      edge.operation.addTranspose(target, at: .affine, keeping: 1, into: &w[edge.source])
      return
    }
    let cell = elimination.cells[n]
    let (d, target) = (w[cell.target].rows, w[cell.target].elements)
    w[cell.source].update { source, rows in
      for j in 0..<batch {
        elimination.forEachEntry(of: cell, in: cells[j]) { row, i, weight in
          source[i + j * rows] += weight * target[row + j * d]
        }
      }
    }
  }

  // MARK: Forces

  /// κ⁻¹δ_π⁻ᵀ(Lᵀf − g): the discrepancies that forces call for; without g for a change of them.
  func noises(of forces: Matrix, withGradient: Bool) -> [Matrix] {
    var w = scratch.take { network.vertices.map { Matrix(rows: $0.dimension, columns: batch) } }
    for v in w.indices { w[v].fill(0) }
    let last = network.lastVertex
    for j in 0..<batch {
      for (k, o) in observations[j].enumerated() {
        let f = forces[k, j]
        guard f != 0 else { continue }
        w[Int(o.vertex)].elements[Int(o.index) + j * w[Int(o.vertex)].rows] += o.slope * f
        forEachShare(of: o, j) { source, i, share in
          w[source].elements[i + j * w[source].rows] -= share * f
        }
      }
      if let model = outputs?[j] {
        // At held coordinates w has forces on predictions.
        for i in 0..<model.factor.rows where elimination.roles[last][i] != .held {
          for k in 0..<model.factor.columns {
            w[last][i, j] += model.factor[i, k] * forces[observations[j].count + k, j]
          }
          if withGradient { w[last][i, j] -= model.gradient[i] }
        }
      }
    }
    substituteBackward(&w)
    for v in w.indices { w[v].multiply(elementwise: compliances[v]) }
    return w
  }

  /// The change of discrepancies that forces call for.
  func change(_ forces: Matrix) -> [Matrix] {
    var dn = noises(of: forces, withGradient: true)
    for v in dn.indices { dn[v].add(noises[v], scale: -1) }
    return dn
  }

  /// The places of an observation's level with what each has in the mean.
  @inline(__always)
  private func forEachShare(of o: Observation, _ j: Int, _ visit: (Int, Int, Double) -> Void) {
    guard o.row >= 0 else { return }
    let cell = elimination.cells[Int(o.cells)]
    for r in cell.readStarts[Int(o.row)]..<cell.readStarts[Int(o.row) + 1] where cells[j].isLevel[r]
    {
      visit(cell.source, Int(elimination.sources[r]), cells[j].shares[r] * cells[j].readSlopes[r])
    }
  }

  /// L du of a change v = δ_π⁻¹ dn.
  func observed(_ v: [Matrix], held: [Matrix], into y: inout Matrix) {
    let last = network.lastVertex
    for j in 0..<batch {
      for (k, o) in observations[j].enumerated() {
        let (t, i) = (Int(o.vertex), Int(o.index))
        var x: Double
        if elimination.roles[t][i] == .held {
          x = held[t][Int(elimination.heldPlaces[t][i]), j]
        } else {
          x = v[t].elements[i + j * v[t].rows]
        }
        x *= o.slope
        forEachShare(of: o, j) { source, i, share in
          x -= share * v[source].elements[i + j * v[source].rows]
        }
        y[k, j] = x
      }
      if let model = outputs?[j] {
        for k in 0..<model.factor.columns {
          var sum = 0.0
          for i in 0..<model.factor.rows { sum += model.factor[i, k] * v[last][i, j] }
          y[observations[j].count + k, j] = sum
        }
      }
    }
  }

  func blankHeld() -> [Matrix] {
    network.vertices.indices.map {
      Matrix(rows: $0 == 0 ? 0 : energy.pins.held($0).count, columns: batch)
    }
  }

  /// C of a force.
  func compliance(_ k: Int, _ j: Int) -> Double {
    k < observations[j].count ? observations[j][k].compliance : 1
  }
}

extension FaceModel: SymmetricOperator {
  var traits: OperatorTraits { .positiveSemidefinite }
  var systems: Int? { batch }
  func systems(_ indices: [Int]) -> FaceModel { samples(indices) }
  func apply(_ x: Matrix, into y: inout Matrix) {
    var v = noises(of: x, withGradient: false)
    var held = blankHeld()
    substituteForward(&v, held: &held)
    y.fill(0)
    observed(v, held: held, into: &y)
    for j in 0..<batch {
      for k in 0..<forceCount(j) { y[k, j] += compliance(k, j) * x[k, j] }
    }
    scratch.give(v)
  }
}
