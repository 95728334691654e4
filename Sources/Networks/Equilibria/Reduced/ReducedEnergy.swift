import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The reduced energy F of a block of samples: the pinned energy with its inner coordinates minimised out.
struct ReducedEnergy: Sendable {
  let energy: PinnedEnergy
  let elimination: Elimination
  /// The output edge with a_{k+1} minimised out.
  let potential: OutputPotential?

  init(_ energy: PinnedEnergy, _ elimination: Elimination, batch: Int) {
    (self.energy, self.elimination) = (energy, elimination)
    let network = energy.sheaf.network
    potential = energy.output.map {
      OutputPotential(
        $0, energy.pins, vertex: network.vertices.count, dimension: network.outputDimension,
        batch: batch)
    }
  }

  var network: Network { energy.sheaf.network }

  /// The predictions m of the targets of affine edges. Cost: half a sweep.
  func predictions(_ x: [Matrix]) -> [Matrix] {
    var m = network.vertices.map { Matrix(rows: $0.dimension, columns: x[0].columns) }
    for v in network.vertices.indices.dropFirst() where !elimination.hasRows[v] {
      for e in network.incoming[v] {
        let edge = network.edges[e]
        edge.operation.apply(x[edge.source], into: &m[v])
      }
    }
    return m
  }

  /// F and its rate at a point of a line; the cells are brought there.
  func evaluate(
    _ cells: inout SampleCells, on line: Line, at tau: Double, sample j: Int
  ) -> (energy: Double, rate: Double) {
    var (sum, rate) = elimination.evaluate(&cells, on: line, at: tau, sample: j)
    for v in network.vertices.indices.dropFirst() where !elimination.hasRows[v] {
      let d = line.x[v].rows
      let (x, m, dx, dm) = (
        line.x[v].elements, line.m[v].elements, line.dx[v].elements, line.dm[v].elements
      )
      let (roles, gamma) = (elimination.roles[v], elimination.gamma[v])
      for i in 0..<d where roles[i] != .inner {
        let k = i + j * d
        let dn = dx[k] - dm[k]
        let n = x[k] - m[k] + tau * dn
        sum += 0.5 * gamma[i] * n * n
        rate += gamma[i] * n * dn
      }
    }
    for v in network.vertices.indices {
      for soft in energy.pins.soft(v) {
        for (p, i) in soft.rows.enumerated() {
          let d = line.x[v][i, j] + tau * line.dx[v][i, j] - soft.values[p, j]
          sum += 0.5 * soft.stiffness * d * d
          rate += soft.stiffness * d * line.dx[v][i, j]
        }
      }
    }
    if let potential {
      let v = network.lastVertex
      var z = line.x[v].columns(j..<j + 1)
      let dz = line.dx[v].columns(j..<j + 1)
      z.add(dz, scale: tau)
      sum += potential.value(z, sample: j)
      rate += zip(potential.gradient(z, sample: j), dz.elements).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (sum, rate)
  }

  /// ∇F, 0 but at outer coordinates, and of each sample the largest force that takes part in it. Cost: half a
  /// sweep.
  func gradient(
    _ x: [Matrix], _ m: [Matrix], _ cells: [SampleCells]
  ) -> (gradient: [Matrix], forces: [Double]) {
    var g = network.vertices.map { Matrix(rows: $0.dimension, columns: cells.count) }
    // ∂F/∂m.
    var onPredictions = g
    for v in network.vertices.indices.dropFirst() where !elimination.hasRows[v] {
      let d = x[v].rows
      for j in cells.indices {
        for i in 0..<d where elimination.roles[v][i] != .inner {
          let k = i + j * d
          let n = elimination.gamma[v][i] * (x[v].elements[k] - m[v].elements[k])
          g[v].elements[k] = n
          onPredictions[v].elements[k] = -n
        }
      }
    }
    for cell in elimination.cells {
      for (j, state) in cells.enumerated() {
        let (s, t) = (j * x[cell.source].rows, cell.rows.lowerBound + j * x[cell.target].rows)
        for q in 0..<cell.rows.count {
          g[cell.target].elements[t + q] += state.forces[cell.firstRow + q]
        }
        for r in cell.readStarts[0]..<cell.readStarts[cell.rows.count] {
          let k = Int(elimination.sources[r]) + s
          switch elimination.bindings[r] {
          case .prediction: onPredictions[cell.source].elements[k] += state.pulls[r]
          case .copy: g[cell.source].elements[k] += state.pulls[r]
          case .value: break
          }
        }
      }
    }
    for v in network.vertices.indices {
      energy.pins.addSoftForces(vertex: v, stalk: x[v], scale: -1, into: &g[v])
    }
    clearAllButOuter(&g)
    var forces = cells.indices.map { j in
      network.vertices.indices.reduce(0) {
        maximum(
          $0,
          maximum(g[$1].maximumMagnitude(column: j), onPredictions[$1].maximumMagnitude(column: j)))
      }
    }
    if let potential {
      let v = network.lastVertex
      for j in cells.indices {
        let force = potential.gradient(x[v].columns(j..<j + 1), sample: j)
        for (i, f) in force.enumerated() where elimination.roles[v][i] == .outer {
          forces[j] = maximum(forces[j], abs(f))
          g[v][i, j] += f
        }
      }
    }
    for (e, edge) in network.edges.enumerated() where elimination.cellsOfEdge[e] == -1 {
      guard edge.source != 0 || energy.inputRole == .free else { continue }
      let target = onPredictions[edge.target]
      edge.operation.addTranspose(target, at: .affine, keeping: 1, into: &g[edge.source])
    }
    clearAllButOuter(&g)
    return (g, forces)
  }

  private func clearAllButOuter(_ g: inout [Matrix]) {
    for v in g.indices {
      for (i, role) in elimination.roles[v].enumerated() where role != .outer {
        for j in 0..<g[v].columns { g[v][i, j] = 0 }
      }
    }
  }

  /// The model on the faces where the cells stand.
  func model(_ x: [Matrix], _ m: [Matrix], _ cells: [SampleCells]) -> FaceModel {
    var noises = network.vertices.map { Matrix(rows: $0.dimension, columns: cells.count) }
    var compliances = noises
    for v in network.vertices.indices.dropFirst() where !elimination.hasRows[v] {
      let d = x[v].rows
      for i in 0..<d where elimination.roles[v][i] == .outer {
        for j in cells.indices {
          let k = i + j * d
          noises[v].elements[k] = x[v].elements[k] - m[v].elements[k]
          compliances[v].elements[k] = 1 / elimination.gamma[v][i]
        }
      }
    }
    if energy.inputRole == .free {
      let prior = energy.pins.combined(
        at: 0, dimension: network.inputDimension, batch: cells.count)
      for (i, role) in elimination.roles[0].enumerated() where role == .outer {
        for j in cells.indices {
          noises[0][i, j] = x[0][i, j] - prior.values[i, j]
          compliances[0][i, j] = 1 / prior.stiffness[i]
        }
      }
    }
    for cell in elimination.cells {
      let d = x[cell.target].rows
      for (j, state) in cells.enumerated() {
        for q in 0..<cell.rows.count
        where elimination.roles[cell.target][cell.rows.lowerBound + q] == .outer {
          let k = cell.rows.lowerBound + q + j * d
          noises[cell.target].elements[k] = state.noises[cell.firstRow + q]
          compliances[cell.target].elements[k] = 1 / state.kappas[cell.firstRow + q]
        }
      }
    }
    var outputs: [OutputModel]?
    if let potential, !potential.isQuadratic {
      outputs = cells.indices.map { j in
        OutputModel(potential, at: x[network.lastVertex].columns(j..<j + 1), sample: j, damping: 0)
      }
    }
    let observations = cells.indices.map { self.observations(x, m, cells[$0], $0) }
    let count = cells.indices.reduce(0) {
      max($0, observations[$1].count + (outputs?[$1].factor.columns ?? 0))
    }
    return FaceModel(
      energy: energy, elimination: elimination, cells: cells, observations: observations,
      outputs: outputs, noises: noises, compliances: compliances, rows: count, scratch: Scratch())
  }

  private func observations(
    _ x: [Matrix], _ m: [Matrix], _ state: SampleCells, _ j: Int
  ) -> [Observation] {
    var list: [Observation] = []
    let starts = elimination.starts
    for v in network.vertices.indices.dropFirst() {
      if !elimination.hasRows[v] {
        for i in energy.pins.held(v) {
          list.append(
            Observation(
              vertex: Int32(v), index: Int32(i), compliance: 1 / elimination.gamma[v][i],
              residual: m[v][i, j] - x[v][i, j], key: .held(starts[v] + i)))
        }
      }
      for (n, soft) in energy.pins.soft(v).enumerated() {
        for (p, i) in soft.rows.enumerated() where elimination.roles[v][i] == .outer {
          list.append(
            Observation(
              vertex: Int32(v), index: Int32(i), compliance: 1 / soft.stiffness,
              residual: x[v][i, j] - soft.values[p, j], key: .spring(starts[v] + i, pin: n)))
        }
      }
    }
    if let potential, potential.isQuadratic {
      let v = network.lastVertex
      for i in 0..<network.outputDimension
      where potential.spring(i) > 0 && elimination.roles[v][i] == .outer {
        list.append(
          Observation(
            vertex: Int32(v), index: Int32(i), compliance: 1 / potential.spring(i),
            residual: x[v][i, j] - potential.targets[i, j], key: .target(i)))
      }
    }
    // Held targets see what their rows read.
    for cell in elimination.cells where !energy.pins.held(cell.target).isEmpty {
      for q in 0..<cell.rows.count {
        let row = cell.rows.lowerBound + q
        guard elimination.roles[cell.target][row] == .held, state.slopes[cell.firstRow + q] != 0
        else { continue }
        list.append(
          Observation(
            vertex: Int32(cell.target), index: Int32(row),
            compliance: 1 / state.kappas[cell.firstRow + q],
            residual: -state.noises[cell.firstRow + q], key: .held(starts[cell.target] + row)))
      }
    }
    for kink in state.kinks {
      let (cell, r) = (elimination.cells[Int(kink.cells)], Int(kink.read))
      list.append(
        Observation(
          vertex: Int32(cell.source), index: elimination.sources[r],
          compliance: 1 / elimination.weight(r, state), residual: kink.gap, key: .kink(read: r)))
    }
    for level in state.levels {
      let cell = elimination.cells[Int(level.cells)]
      let reads = cell.readStarts[Int(level.row)]..<cell.readStarts[Int(level.row) + 1]
      let isSeen = reads.contains { state.isLevel[$0] && state.readSlopes[$0] != 0 }
      guard isSeen else { continue }
      for r in reads where state.isLevel[r] && (!level.isFixed || state.readSlopes[r] != 0) {
        list.append(
          Observation(
            cells: level.cells, row: level.isFixed ? -1 : level.row, vertex: Int32(cell.source),
            index: elimination.sources[r], slope: state.readSlopes[r],
            compliance: 1 / state.readKappas[r],
            residual: state.gaps[r], key: .level(read: r)))
      }
    }
    return list
  }
}

extension ReducedEnergy {
  /// The stalks with inner coordinates where the cells have them.
  func state(_ x: [Matrix], _ m: [Matrix], _ cells: [SampleCells]) -> SheafState {
    var x = x
    // What nothing reads is what it is predicted to be.
    for v in x.indices where !elimination.hasRows[v] {
      for (i, role) in elimination.roles[v].enumerated() where role == .inner {
        for j in cells.indices { x[v][i, j] = m[v][i, j] }
      }
    }
    for (e, edge) in network.edges.enumerated() where elimination.cellsOfEdge[e] == -2 {
      let source = x[edge.source]
      edge.operation.apply(source, into: &x[edge.target])
    }
    for cell in elimination.cells {
      for (j, state) in cells.enumerated() {
        for q in 0..<cell.rows.count {
          for r in cell.readStarts[q]..<cell.readStarts[q + 1]
          where elimination.bindings[r] == .prediction {
            let y = state.values[r]
            x[cell.source][Int(elimination.sources[r]), j] = y
            guard cell.middle >= 0 else { continue }
            // A place on the level has it; another is what its activation makes of it.
            let row = cell.rows.lowerBound + q
            x[cell.middle][Int(elimination.middles[r]), j] =
              state.isLevel[r]
              ? x[cell.target][row, j]
                - state.forces[cell.firstRow + q] / elimination.gamma[cell.target][row]
              : elimination.value(ofRead: r, at: y)
          }
        }
      }
    }
    return SheafState(stalks: x)
  }
}
