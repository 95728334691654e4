import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The blocks of `CoordinateSolver`: how each stalk is set to its best value, factorisations included.
struct BlockDescent: Sendable {
  /// How the best value of a stalk is found.
  enum Update: Sendable {
    /// Wholly held.
    case none
    /// Affine readers: the factored Hessian on the free coordinates.
    case quadratic(free: [Int], CholeskyFactorization)
    /// Affine readers, and too many coordinates to factor: the Hessian's diagonal without RᵀR, 0 where held.
    case gradients(diagonal: [Double])
    /// Elementwise readers: coordinate by coordinate.
    case piecewise(free: [Int], [CoordinatePieces])
    /// No readers, and a smooth output edge.
    case output
  }

  /// The numbers that a factorisation may keep: 64 MB.
  private static let largestFactor = 8e6

  let updates: [Update]
  /// The vertices by colour; neighbours have different ones.
  let colours: [[Int]]

  init(_ energy: PinnedEnergy) throws(EquilibriumError) {
    let network = energy.sheaf.network
    let (pins, stiffness) = (energy.pins, energy.stiffness)
    try energy.checkPriors(for: "coordinate")
    let potential = energy.output.map {
      OutputPotential(
        $0, pins, vertex: network.vertices.count, dimension: network.outputDimension, batch: 0)
    }
    var updates: [Update] = []
    for (v, vertex) in network.vertices.enumerated() {
      let held = Set(pins.held(v))
      let free = (0..<vertex.dimension).filter { !held.contains($0) }
      guard !free.isEmpty else {
        updates.append(.none)
        continue
      }
      var diagonal =
        stiffness[v] ?? [Double](repeating: v == 0 ? 0 : 1, count: vertex.dimension)
      for pin in pins.soft(v) {
        for i in pin.rows { diagonal[i] += pin.stiffness }
      }
      if v == network.lastVertex, let potential {
        guard potential.isQuadratic else {
          updates.append(.output)
          continue
        }
        for i in free { diagonal[i] += potential.spring(i) }
      }
      let edges = network.outgoing[v].map { network.edges[$0] }
      let operations = edges.map(\.operation)
      if operations.contains(where: \.isStateDependent) {
        guard operations.allSatisfy(\.isStateDependent),
          let pieces = CoordinatePieces.all(edges, stiffness, dimension: vertex.dimension)
        else {
          throw .unsupported(
            method: "coordinate",
            reason:
              "the best value of \(vertex.name) for its neighbours has no closed form; it is read "
              + "by " + operations.map(\.summary).joined(separator: " and ")
              + "; the direct and the iterative method take it")
        }
        updates.append(.piecewise(free: free, pieces))
        continue
      }
      let size = vertex.dimension + (operations.map(\.targetDimension).max() ?? 0)
      guard Double(vertex.dimension) * Double(size) <= Self.largestFactor else {
        for i in held { diagonal[i] = 0 }
        updates.append(.gradients(diagonal: diagonal))
        continue
      }
      var hessian = Matrix.diagonal(diagonal)
      for edge in edges {
        var r = Matrix(rows: edge.operation.targetDimension, columns: vertex.dimension)
        edge.operation.addLinearPart(
          .identity(vertex.dimension), at: .affine, scale: 1, keeping: 0, into: &r)
        if let gamma = stiffness[edge.target] { r.scaleRows(by: gamma.map { $0.squareRoot() }) }
        hessian.addGram(ofColumns: 0..<vertex.dimension, of: r)
      }
      guard
        let factor = try? CholeskyFactorization(
          free.count == vertex.dimension ? hessian : hessian[rows: free, columns: free])
      else {
        throw .unsupported(
          method: "coordinate", reason: "Γ + Σ RᵀΓR of \(vertex.name) is not positive definite")
      }
      updates.append(.quadratic(free: free, factor))
    }
    self.updates = updates
    colours = Self.colours(network)
  }

  /// The vertices by colour, each in topological order the first that no neighbour has.
  private static func colours(_ network: Network) -> [[Int]] {
    var neighbours = [[Int]](repeating: [], count: network.vertices.count)
    for edge in network.edges {
      neighbours[edge.source].append(edge.target)
      neighbours[edge.target].append(edge.source)
    }
    var colour = [Int](repeating: -1, count: neighbours.count)
    var classes: [[Int]] = []
    for v in network.vertices.indices {
      let taken = Set(neighbours[v].map { colour[$0] })
      let c = (0...).first { !taken.contains($0) }!
      colour[v] = c
      if c == classes.count { classes.append([]) }
      classes[c].append(v)
    }
    return classes
  }

  /// Rounds through all stalks from a state, until each sample's residual is small.
  func run(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, from start: SheafState,
    _ settings: SolverSettings, progress: (@Sendable (Int) -> Void)?
  ) -> PinnedEquilibrium {
    let (stepLimit, tolerance) = (settings.stepLimit, settings.tolerance)
    var end = PinnedEquilibrium(start)
    end.reserve(start.batch)
    let scales = energy.residualScales(start.stalks[0])
    var open = Array(0..<start.batch)
    var part = energy
    var state = start
    var blocks = BlockState(self, part, state)
    var round = 0
    while !open.isEmpty && round < stepLimit {
      if let reason = blocks.sweep(self, part, &state, settings.halt) {
        for (q, j) in open.enumerated() {
          (end.statuses[j], end.iterations[j]) = (reason, round)
          end.state.setSamples(from: j, to: SheafState(stalks: state.samples([q]).stalks))
        }
        break
      }
      round += 1
      // A small change is necessary for a small residual; and finite numbers for either.
      let settled = open.indices.filter { !(blocks.changes[$0] > tolerance * scales[open[$0]]) }
      guard !settled.isEmpty || round == stepLimit else { continue }
      if round < stepLimit && round % 5 != 0 { continue }
      var shown = state
      part.setOutput(of: &shown)
      let residuals = ClarkeGradient(part, flat, shown).residuals
      var left: [Int] = []
      for (q, j) in open.enumerated() {
        end.iterations[j] = round
        let isFinite = residuals[q].isFinite
        let isDone = residuals[q] <= tolerance * scales[j]
        if isFinite && !isDone { left.append(q) }
        end.statuses[j] = isDone ? .converged : isFinite ? .stepLimit : .diverged
        end.state.setSamples(from: j, to: SheafState(stalks: state.samples([q]).stalks))
      }
      guard left.count < open.count else { continue }
      progress?(open.count - left.count)
      open = left.map { open[$0] }
      part = energy.samples(open)
      state = state.samples(left)
      blocks = BlockState(self, part, state)
    }
    for j in 0..<start.batch { end.kinkNeurons[j] = kinks(end.state, j) }
    return end
  }

  /// How many coordinates rest on a kink.
  private func kinks(_ state: SheafState, _ j: Int) -> Int {
    var count = 0
    for (v, update) in updates.enumerated() {
      guard case .piecewise(let free, let pieces) = update else { continue }
      count += free.count { i in pieces[i].thresholds.contains(state.stalks[v][i, j]) }
    }
    return count
  }
}

/// ρ of some samples, kept as blocks change, and how much they did.
private struct BlockState {
  var rho: [Matrix]
  var patterns: [ActivationPattern]
  /// The largest change of a coordinate of each sample in the last round.
  var changes: [Double]
  let potential: OutputPotential?

  init(_ descent: BlockDescent, _ energy: PinnedEnergy, _ state: SheafState) {
    let network = energy.sheaf.network
    patterns = energy.sheaf.patterns(at: state)
    rho = energy.sheaf.discrepancy(state)
    changes = [Double](repeating: 0, count: state.batch)
    potential = energy.output.map {
      OutputPotential(
        $0, energy.pins, vertex: network.vertices.count, dimension: network.outputDimension,
        batch: state.batch)
    }
  }

  /// A round through all stalks; why it was given up half-way, nil if it was not.
  mutating func sweep(
    _ descent: BlockDescent, _ energy: PinnedEnergy, _ state: inout SheafState, _ halt: Halt
  ) -> SolutionStatus? {
    for j in changes.indices { changes[j] = 0 }
    for vertices in descent.colours {
      for v in vertices {
        if let reason = halt.reason { return reason }
        update(v, descent, energy, &state)
      }
    }
    return nil
  }

  /// −∂E at a stalk that affine operations read.
  private func force(
    on v: Int, _ energy: PinnedEnergy, _ state: SheafState
  ) -> Matrix {
    let network = energy.sheaf.network
    let stalk = state.stalks[v]
    var force = Matrix(rows: stalk.rows, columns: stalk.columns)
    func momenta(_ t: Int) -> Matrix {
      var p = rho[t]
      energy.stiffness.multiply(&p, of: t)
      return p
    }
    for e in network.outgoing[v] {
      let edge = network.edges[e]
      edge.operation.addTranspose(momenta(edge.target), at: .affine, keeping: 1, into: &force)
    }
    if v > 0 { force.add(momenta(v), scale: -1) }
    energy.pins.addSoftForces(vertex: v, stalk: stalk, into: &force)
    if v == network.lastVertex, let potential {
      for j in 0..<stalk.columns {
        for i in 0..<stalk.rows {
          force[i, j] -= potential.spring(i) * (stalk[i, j] - potential.targets[i, j])
        }
      }
    }
    return force
  }

  private mutating func update(
    _ v: Int, _ descent: BlockDescent, _ energy: PinnedEnergy, _ state: inout SheafState
  ) {
    let network = energy.sheaf.network
    let batch = state.batch
    let old = state.stalks[v]
    switch descent.updates[v] {
    case .none: return
    case .gradients(let diagonal):
      let step = QuadraticBlock(
        diagonal: diagonal, readers: network.outgoing[v].map { network.edges[$0] },
        stiffness: energy.stiffness
      ).step(along: force(on: v, energy, state))
      state.stalks[v].add(step)
    case .quadratic(let free, let factor):
      // A Newton step is the minimiser.
      var force = force(on: v, energy, state)
      if free.count == old.rows {
        factor.solve(&force)
        state.stalks[v].add(force)
      } else {
        var step = force[rows: free, columns: Array(0..<batch)]
        factor.solve(&step)
        for j in 0..<batch {
          for (p, i) in free.enumerated() { state.stalks[v][i, j] += step[p, j] }
        }
      }
    case .piecewise(let free, let pieces):
      let soft = energy.pins.soft(v)
      for j in 0..<batch {
        for i in free {
          // (γ/2)(s − m)² and the soft pins: ½ h s² − b s.
          let gamma = v == 0 ? 0 : energy.stiffness.value(v, row: i)
          var (h, b) = (gamma, v == 0 ? 0 : gamma * (old[i, j] - rho[v][i, j]))
          for pin in soft {
            for (p, c) in pin.rows.enumerated() where c == i {
              h += pin.stiffness
              b += pin.stiffness * pin.values[p, j]
            }
          }
          state.stalks[v][i, j] = pieces[i].minimizer(h, b, near: old[i, j]) {
            state.stalks[$0][$1, j]
          }
        }
      }
    case .output:
      for j in 0..<batch {
        var m = old.columns(j..<j + 1)
        m.add(rho[v].columns(j..<j + 1), scale: -1)
        let z = potential!.proximal(
          m, weights: energy.stiffness[v] ?? [Double](repeating: 1, count: m.rows), sample: j,
          from: old.columns(j..<j + 1), held: Set(energy.pins.held(v)),
          springs: energy.pins.soft(v).flatMap { pin in
            pin.rows.enumerated().map { ($1, pin.stiffness, pin.values[$0, j]) }
          })
        state.stalks[v].setColumns(from: j, to: z)
      }
    }
    // ρ moves with the block.
    var step = state.stalks[v]
    step.add(old, scale: -1)
    for j in 0..<batch { changes[j] = maximum(changes[j], step.maximumMagnitude(column: j)) }
    if v > 0 { rho[v].add(step) }
    for e in network.outgoing[v] {
      let edge = network.edges[e]
      if edge.operation.isStateDependent {
        edge.operation.discrepancy(
          state.stalks[v], state.stalks[edge.target], into: &rho[edge.target])
      } else {
        edge.operation.addLinearPart(
          step, at: .affine, scale: -1, keeping: 1, into: &rho[edge.target])
      }
    }
  }
}
