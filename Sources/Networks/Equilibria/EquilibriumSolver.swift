import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// A way to a pinned equilibrium.
public protocol EquilibriumSolver: Sendable {
  /// The step limit where none is given.
  static var defaultStepLimit: Int { get }
  /// How closely and how long. Samples that are still open at a halt are where they have come to.
  var settings: SolverSettings { get set }
  /// Called, from any thread, with the number of samples that have ended since the last call.
  var progress: (@Sendable (Int) -> Void)? { get set }

  /// A solver with its settings.
  init(_ settings: SolverSettings)

  /// Relaxes a batch.
  ///
  /// - Parameters:
  ///   - energy: the sheaf with its pins and output edge.
  ///   - input: x, (n₀, batch); where pins hold or pull it, their values count.
  ///   - start: the stalks to descend from, (dimension, batch) each, such as those of an earlier
  ///     equilibrium; nil for the forward pass through the pins. What is held, the input among it, takes
  ///     its pins' values; a freed input starts where the stalks have it. `output` is not read.
  /// - Returns: an end for every sample, with its status; what did not converge is said there.
  /// - Throws: what cannot be solved, or not in this way.
  func solve(
    _ energy: PinnedEnergy, input: Matrix, from start: SheafState?
  ) throws(EquilibriumError) -> PinnedEquilibrium
}

extension EquilibriumSolver {
  /// 1000 steps.
  public static var defaultStepLimit: Int { 1000 }

  /// A solver from some of its settings.
  public init(
    stepLimit: Int = Self.defaultStepLimit, tolerance: Double = SolverSettings.defaultTolerance,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(stepLimit > 0 && tolerance > 0)
    self.init(SolverSettings(stepLimit: stepLimit, tolerance: tolerance, threads: threads))
  }

  /// Relaxes a batch from the forward pass through the pins.
  public func solve(
    _ energy: PinnedEnergy, input: Matrix
  ) throws(EquilibriumError) -> PinnedEquilibrium {
    try solve(energy, input: input, from: nil)
  }
}

/// A problem that has no equilibrium to look for, or none that a method can find.
public enum EquilibriumError: Error, Equatable, CustomStringConvertible {
  /// The input's shape is not the pins'.
  case input(found: String, expected: String)
  /// Soft pins on the output of a softmax with a cross-entropy that do not belong to an energy.
  case unevenOutput
  /// A freed input, and no pin that could determine it.
  case nothingDetermines(coordinates: [Int])
  /// More memory than the machine has, in bytes, and what would take it.
  case memory(method: String, what: String, needed: Double, available: Double)
  /// A problem that this method does not take.
  case unsupported(method: String, reason: String)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .input(let found, let expected): "the input has shape \(found), expected \(expected)"
    case .unevenOutput:
      "a cross-entropy of a softmax needs every output coordinate held, or all pulled alike; some are "
        + "free or pulled otherwise"
    case .nothingDetermines(let c):
      "the input is free at \(c.indexRanges) without a prior, and no pin elsewhere could determine it: "
        + "expected a soft pin on x or pins on other stalks"
    case .memory(let method, let what, let needed, let available):
      "the \(method) method would take about \(Self.size(needed)) for \(what), expected at most the "
        + "\(Self.size(available)) of this machine"
    case .unsupported(let method, let reason): "the \(method) method does not apply: \(reason)"
    }
  }
}

extension EquilibriumError {
  /// Bytes as people say them.
  private static func size(_ bytes: Double) -> String {
    bytes < 1e9 ? "\(Int((bytes / 1e6).rounded(.up))) MB" : "\(Int((bytes / 1e9).rounded())) GB"
  }
}

extension PinnedEnergy {
  /// The input coordinates that are free and have no prior.
  var openInput: [Int] {
    ActiveSet.FreedInput(pins, dimension: sheaf.network.inputDimension, batch: 0)?.open ?? []
  }

  /// Refuses, for a method that cannot find it, an input coordinate that is free without a prior.
  public func checkPriors(for method: String) throws(EquilibriumError) {
    guard let open = openInput.first else { return }
    throw .unsupported(
      method: method,
      reason: "input coordinate \(open) is free without a prior; the direct method takes it")
  }

  /// The largest γ, of soft pins or of edges that have one, and κ; 0 without any.
  var largestStiffness: Double {
    (0...sheaf.network.vertices.count).flatMap { pins.soft($0).map(\.stiffness) }
      .reduce(max(output?.coupling ?? 0, stiffness.isUniform ? 0 : stiffness.largest), max)
  }

  /// The rows of E that come from pins and the output edge.
  var rowCount: Int {
    let network = sheaf.network
    var rows = output == nil ? 0 : network.outputDimension
    for v in 1..<network.vertices.count {
      rows += pins.held(v).count + pins.soft(v).reduce(0) { $0 + $1.rows.count }
    }
    return rows
  }

  /// Whether Schur complements of faces are worth while: up to 128 pinned coordinates and 8192 free ones.
  var isSmall: Bool { rowCount <= 128 && sheaf.network.freeDimension <= 8192 }

  /// The stalks of a state with what is held at its pins' values.
  public func imposed(on start: SheafState) -> SheafState {
    var state = SheafState(stalks: start.stalks)
    pins.impose(on: &state)
    return state
  }

  /// Checks what can be known of a problem before any work.
  ///
  /// - Throws: an input of the wrong shape, a cross-entropy that does not belong to an energy, or a freed input
  ///   that nothing determines.
  public func check(_ input: Matrix, from start: SheafState?) throws(EquilibriumError) {
    let network = sheaf.network
    if let start {
      precondition(
        start.stalks.map(\.rows) == network.vertices.map(\.dimension)
          && start.stalks.allSatisfy { $0.columns == input.columns },
        "stalks \(start.stalks.map(\.shape)) to start \(input.columns) samples from")
    }
    guard input.rows == network.inputDimension && input.columns > 0 else {
      throw .input(found: input.shape, expected: "(\(network.inputDimension), at least 1)")
    }
    if let output {
      let potential = OutputPotential(
        output, pins, vertex: network.vertices.count, dimension: network.outputDimension, batch: 0)
      guard potential.isConsistent else { throw .unevenOutput }
    }
    let isPinned = (1...network.vertices.count).contains { pins.concern($0) }
    let open = openInput
    if !open.isEmpty && !isPinned { throw .nothingDetermines(coordinates: open) }
  }
}

extension [Int] {
  /// Ascending numbers as ranges, such as "0:3, 7".
  var indexRanges: String {
    var parts: [String] = []
    var i = 0
    while i < count {
      var k = i
      while k + 1 < count && self[k + 1] == self[k] + 1 { k += 1 }
      parts.append(k == i ? "\(self[i])" : "\(self[i]):\(self[k] + 1)")
      i = k + 1
    }
    return parts.joined(separator: ", ")
  }
}
