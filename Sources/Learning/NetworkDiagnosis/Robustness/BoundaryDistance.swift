import LinearAlgebra
import NeuralSheaves

/// The distance of samples from where the decision changes, in the Euclidean norm of the input (after DeepFool; Moosavi-Dezfooli et al. 2016).
public struct BoundaryDistance: Sendable {
  /// What is known of one sample.
  public struct Entry: Sendable {
    /// The class that is predicted.
    public let predicted: Int
    /// The class beyond the boundary that was reached.
    public let rival: Int
    /// min over c of |z_c − z_p|/‖∇(z_c − z_p)‖: the distance if the network were affine.
    public let linear: Double
    /// The distance of a point at which the decision does change, an upper bound of the true distance; infinite where none was found.
    public let reached: Double
    /// Whether the linear distance is the true distance among the points of the sample's linear region, as the foot of the perpendicular lies in it.
    public let isExact: Bool
    /// That point; empty where none was found.
    public let point: [Double]
  }

  /// Sample by sample.
  public let entries: [Entry]

  /// Steps to the nearest boundary of the linearised network until the decision changes, then halves the way back.
  ///
  /// Cost: n_{k+1} reverse sweeps for each of a few steps.
  public init(_ samples: NetworkSamples, stepLimit: Int = 50) {
    let network = samples.network
    precondition(network.classCount != nil, "outputs that are no classes")
    let start = samples.input
    let logits = network.classLogits(samples.logits)
    let predicted = samples.range.map { logits.largestRow(ofColumn: $0) }
    let first = Self.steps(network, samples.state, predicted)
    var foot = start
    for (j, step) in first.enumerated() { foot.add(step, scale: 1, toColumn: j) }
    var point = start
    var open = Array(samples.range)
    var changed: [Int] = []
    for k in 0..<stepLimit where !open.isEmpty {
      let steps =
        k == 0
        ? first
        : Self.steps(
          network, NeuralSheaf(network).forwardPass(point.columns(open)), open.map { predicted[$0] }
        )
      for (q, j) in open.enumerated() { point.add(steps[q], scale: 1.02, toColumn: j) }
      // Where nothing answers to the input there is no way.
      open = zip(open, steps).filter { $0.1 != nil }.map(\.0)
      let ends = network.classLogits(network.logits(point.columns(open)))
      let isChanged = open.indices.map { ends.largestRow(ofColumn: $0) != predicted[open[$0]] }
      changed += open.indices.filter { isChanged[$0] }.map { open[$0] }
      open = open.indices.filter { !isChanged[$0] }.map { open[$0] }
    }
    changed.sort()
    Self.halve(&point, from: start, changed, predicted, network)
    let ends = network.classLogits(network.logits(point))
    let isExact = Self.sharePattern(network, samples.state, foot)
    let isReached = Set(changed)
    var way = point
    way.add(start, scale: -1)
    entries = samples.range.map { j in
      let found = isReached.contains(j)
      return Entry(
        predicted: predicted[j],
        rival: (found ? ends : logits).largestRow(ofColumn: j, except: predicted[j]),
        linear: first[j]?.distance ?? .infinity,
        reached: found ? way.sumOfSquares(column: j).squareRoot() : .infinity,
        isExact: found && isExact[j], point: found ? point.column(j) : [])
    }
  }

  /// The way of each sample to the nearest boundary of its class if the network were affine; nil where no boundary answers to the input.
  private static func steps(
    _ network: Network, _ state: SheafState, _ classes: [Int]
  ) -> [BoundaryStep?] {
    let logits = network.classLogits(state.stalks[network.lastVertex])
    let isSingle = network.outputActivation == .sigmoid
    return InputJacobians.map(network, at: state) { q, transpose in
      let p = classes[q]
      var best: BoundaryStep?
      for c in 0..<logits.rows where c != p {
        var weights = Matrix(rows: transpose.columns, columns: 1)
        if isSingle {
          weights[0, 0] = c == 1 ? 1 : -1
        } else {
          (weights[c, 0], weights[p, 0]) = (1, -1)
        }
        let normal = transpose * weights
        let square = normal.sumOfSquares
        guard square > 0 else { continue }
        let gap = max(logits[p, q] - logits[c, q], 0)
        let distance = gap / square.squareRoot()
        if distance < best?.distance ?? .infinity {
          best = BoundaryStep(
            distance: distance, move: normal.elements.map { $0 * gap / square })
        }
      }
      return best
    }
  }

  /// The points moved back along their ways as far as the decision stays changed.
  private static func halve(
    _ point: inout Matrix, from start: Matrix, _ changed: [Int], _ predicted: [Int],
    _ network: Network
  ) {
    guard !changed.isEmpty else { return }
    let (a, b) = (start.columns(changed), point.columns(changed))
    var (low, high) = (
      [Double](repeating: 0, count: changed.count), [Double](repeating: 1, count: changed.count)
    )
    func at(_ t: [Double]) -> Matrix {
      var x = b
      x.add(a, scale: -1)
      x.scaleColumns(by: t)
      x.add(a)
      return x
    }
    for _ in 0..<30 {
      let middle = zip(low, high).map { ($0 + $1) / 2 }
      let logits = network.classLogits(network.logits(at(middle)))
      for (q, j) in changed.enumerated() {
        if logits.largestRow(ofColumn: q) != predicted[j] {
          high[q] = middle[q]
        } else {
          low[q] = middle[q]
        }
      }
    }
    point.scatterColumns(changed, from: at(high))
  }

  /// Whether other inputs have the activation patterns of a state, sample by sample.
  private static func sharePattern(
    _ network: Network, _ state: SheafState, _ input: Matrix
  ) -> [Bool] {
    let sheaf = NeuralSheaf(network)
    let (own, other) = (
      sheaf.patterns(at: state), sheaf.patterns(at: sheaf.forwardPass(input))
    )
    return (0..<state.batch).map { j in
      zip(own, other).allSatisfy { a, b in
        let rows = j * a.dimension..<(j + 1) * a.dimension
        return a.branches[rows] == b.branches[rows]
      }
    }
  }
}

/// A way to a boundary.
private struct BoundaryStep: Sendable {
  let distance: Double
  let move: [Double]
}

extension Matrix {
  /// Column j moved along a step; to cross a boundary by 2 % and 10⁻⁹ more, or it would be neared for ever.
  fileprivate mutating func add(_ step: BoundaryStep?, scale: Double, toColumn j: Int) {
    guard let step else { return }
    let beyond = scale > 1 ? 1e-9 : 0
    for i in 0..<rows {
      let m = step.move[i]
      self[i, j] += scale * m + (m < 0 ? -beyond : m > 0 ? beyond : 0)
    }
  }
}
