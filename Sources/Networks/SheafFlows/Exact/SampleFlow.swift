import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The exact flow of one sample: linear segments, and what happens between them.
struct SampleFlow: Sendable {
  /// How far to go.
  enum Goal {
    case time(Double)
    /// The first time, not before the given one, at which ‖F‖∞ ≤ the bound.
    case force(Double, notBefore: Double)
  }

  let pieces: QuadraticPieces
  let alpha: Double
  let sample: Int
  let segmentLimit: Int
  let halt: Halt
  /// All coordinates.
  private(set) var x: [Double]
  var face: Face
  private(set) var time = 0.0
  private(set) var events: [FlowEvent] = []
  private(set) var segments = 1
  private(set) var segment: FlowSegment?
  /// How far into the segment the sample is.
  private(set) var elapsed = 0.0
  /// Why it goes no further: `stepLimit` where the limit on segments was met or a boundary neither let the
  /// sample through nor held it.
  private(set) var ending: SolutionStatus?
  private(set) var failure: FlowError?
  /// How often each coordinate was let into a branch since time last went on.
  private var turns: [Int: Int] = [:]

  init(
    _ pieces: QuadraticPieces, _ x: [Double], branches: [Int], alpha: Double, sample: Int,
    segmentLimit: Int, halt: Halt
  ) {
    self.pieces = pieces
    self.x = x
    face = Face(branches: branches)
    self.alpha = alpha
    self.sample = sample
    self.segmentLimit = segmentLimit
    self.halt = halt
    startOnBoundaries()
  }

  /// Flows on.
  mutating func advance(to goal: Goal) {
    while ending == nil && failure == nil {
      if let reason = halt.reason {
        ending = reason
        return
      }
      do throws(FlowError) {
        guard let segment = try settle() else { return }
        let begin = time - elapsed
        let horizon =
          switch goal {
          case .time(let t): max(elapsed, t - begin)
          case .force(let bound, let t):
            segment.firstTime(forceBelow: bound, from: max(elapsed, t - begin))
          }
        guard let (hit, watch) = segment.firstEvent(from: elapsed, to: horizon) else {
          elapsed = horizon
          time = begin + horizon
          if case .time(let t) = goal { time = max(time, t) }
          x = segment.state(after: horizon)
          return
        }
        x = segment.state(after: hit)
        if hit > 0 && begin + hit > time { turns = [:] }
        time = begin + hit
        elapsed = hit
        guard segments < segmentLimit else {
          ending = .stepLimit
          return
        }
        segments += 1
        self.segment = nil
        elapsed = 0
        try meet(watch)
      } catch {
        failure = error
      }
    }
  }

  /// The segment from here, once no watch is about to turn negative at once.
  private mutating func settle() throws(FlowError) -> FlowSegment? {
    if let segment { return segment }
    // Each pass changes a branch or a rest of what would leave its face at once; `turns` makes a coordinate
    // that comes back rest.
    for _ in 0..<8 * pieces.flat.rows.count + 16 {
      let next = try FlowSegment(face, pieces, x, alpha: alpha, sample: sample)
      var seen: Set<Int> = []
      for (watch, sign) in zip(next.watches, next.beginnings) where sign < 0 {
        guard seen.insert(subject(watch)).inserted else { continue }
        try meet(watch)
      }
      if seen.isEmpty {
        segment = next
        return next
      }
    }
    ending = .stepLimit
    return nil
  }

  /// 2/(α λ_max) of the first segment.
  var fastestTime: Double {
    guard let first = try? FlowSegment(face, pieces, x, alpha: alpha, sample: sample),
      let top = first.values.last
    else { return .infinity }
    return 2 / (alpha * top)
  }

  mutating func note(_ kind: FlowEvent.Kind, _ c: Int) {
    let (v, i) = pieces.flat.place(c)
    events.append(FlowEvent(time: time, vertex: v, neuron: i, sample: sample, kind: kind))
  }

  /// Puts a coordinate exactly on a value.
  mutating func set(_ c: Int, to value: Double) { x[c] = value }

  /// Counts a change of branch of a coordinate; whether it has turned too often to go on.
  mutating func turn(_ c: Int) -> Bool {
    turns[c, default: 0] += 1
    return turns[c]! > 3
  }

  /// What a watch is about: a coordinate that it may bring to rest or release, or a row's tie.
  private func subject(_ watch: FlowSegment.Watch) -> Int {
    switch watch {
    case .boundary(let r, let boundary): return boundary.other == nil ? boundary.source : -1 - r
    case .rightForce(let c), .leftForce(let c): return c
    case .share(let r, _): return -1 - r
    }
  }

  private mutating func meet(_ watch: FlowSegment.Watch) throws(FlowError) {
    switch watch {
    case .boundary(let r, let boundary):
      if let other = boundary.other {
        try meetTie(r, other, branch: boundary.neighbour)
      } else {
        try meetValue(boundary.source, boundary.threshold, from: boundary.sign)
      }
    case .rightForce(let c): release(c, toRight: true)
    case .leftForce(let c): release(c, toRight: false)
    case .share(let r, let c): release(c, ofTie: r)
    }
  }
}
