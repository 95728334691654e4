import CellularSheaves
import LinearAlgebra

/// Updates of one stalk at a time.
///
/// With g = (δ_v)* δx, the gradient of the energy E(x) = ½‖δx‖² on the stalk of v, and L_vv = (δ_v)* δ_v, the minimisers of
/// E over x_v are x_v − L_vv⁺ g + ker L_vv, of which x_v − L_vv⁺ g is the nearest. A step of relaxation s takes x_v to
/// x_v − s L_vv⁺ g. Since g lies in the range of L_vv, the energy changes by
///
///     −s ⟨g, L_vv⁺ g⟩ + s²/2 ⟨L_vv⁺ g, L_vv L_vv⁺ g⟩ = −s (1 − s/2) ⟨g, L_vv⁺ g⟩ ≤ 0   for 0 ≤ s ≤ 2:
///
/// it does not rise, whatever the order.
extension DiscourseDynamics {
  /// Which vertex comes next.
  public enum Schedule: Sendable, Equatable {
    /// A moving vertex at random, all alike, each time anew.
    case random(seed: UInt64)
    /// A list of vertices again and again; stubborn ones among them pass.
    case cyclic([Int])
  }

  /// One vertex after the other moves towards the minimiser of the energy over its stalk.
  ///
  /// - Parameters:
  ///   - start: x(0), one history per column; all columns move at the same vertex.
  ///   - schedule: the order.
  ///   - relaxation: s in (0, 2); 1 is the minimiser.
  ///   - steps: after how many updates states are recorded, ascending.
  ///   - tolerance: it rests where the largest |(L x)_Ω| is at most this times the largest diagonal element of L_ΩΩ times
  ///     the largest |x|; looked at after every so many updates as vertices move.
  ///   - halt: asked then too.
  /// - Returns: The states at the steps asked for up to the end; where opinions rest before, that is recorded as the last.
  /// - Throws: `notFinite` for opinions that are not; `noConvergence`.
  /// - Complexity: for each update two products with the maps at the vertex.
  public func updates(
    from start: Matrix, schedule: Schedule, relaxation: Double = 1, recording steps: [Int],
    tolerance: Double = 1e-14, halt: Halt = .never
  ) throws(FactorizationError) -> OpinionTrajectory {
    precondition(relaxation > 0 && relaxation < 2, "a relaxation of \(relaxation)")
    precondition(zip([0] + steps, steps).allSatisfy { $0 <= $1 }, "steps \(steps)")
    try check(start)
    let systems = try StalkSystems(sheaf)
    var order = VertexOrder(schedule, among: moving)
    var x = sheaf.orthonormal(start, degree: 0)
    var discord = discord(start)
    let scale = tolerance * (laplacian.triangle.diagonal.max() ?? 0)
    var trajectory = OpinionTrajectory(last: start, status: .stepLimit)
    var made = 0
    var moved: Set<Int> = []
    func record() {
      // Who has not moved keeps what he had to the last digit.
      let given = sheaf.given(x, degree: 0)
      var state = start
      for v in moved { state.copyRows(sheaf.range(of: v), of: given) }
      trajectory.record(state, at: Double(made), energies: energies(state))
    }
    recording: for step in steps {
      while made < step {
        if made % max(moving.count, 1) == 0 {
          let rest = moving.reduce(0) {
            maximum($0, systems.gradient($1, discord).maximumMagnitude)
          }
          let reason = rest <= scale * x.maximumMagnitude ? .converged : halt.reason
          if let reason {
            trajectory.status = reason
            break recording
          }
        }
        if let v = order.next() {
          var d = systems.inverses[v] * systems.gradient(v, discord)
          d.scale(by: -relaxation)
          moved.insert(v)
          systems.move(v, sheaf.range(of: v), by: d, &x, &discord)
        }
        made += 1
      }
      record()
    }
    if trajectory.times.last != Double(made) { record() }
    trajectory.steps = made
    return trajectory
  }
}

/// The vertices of a schedule one after the other; nil for one that does not move.
private struct VertexOrder {
  private let list: [Int]
  private let isMoving: Set<Int>
  private var generator: RandomGenerator?
  private var place = 0

  init(_ schedule: DiscourseDynamics.Schedule, among moving: [Int]) {
    isMoving = Set(moving)
    switch schedule {
    case .random(let seed): (list, generator) = (moving, RandomGenerator(seed: seed))
    case .cyclic(let vertices):
      precondition(!vertices.isEmpty, "an order of no vertex")
      (list, generator) = (vertices, nil)
    }
  }

  mutating func next() -> Int? {
    guard !list.isEmpty else { return nil }
    if generator != nil {
      return list[Int(generator!.next(upperBound: UInt64(list.count)))]
    }
    defer { place = (place + 1) % list.count }
    return isMoving.contains(list[place]) ? list[place] : nil
  }
}
