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
    let n = samples.count
    let start = samples.input
    let startLogits = network.classLogits(samples.logits)
    let predicted = (0..<n).map { startLogits.largestRow(ofColumn: $0) }
    var point = start
    var open = Array(0..<n)
    var linear = [Double](repeating: .infinity, count: n)
    var foot = start
    var isChanged = [Bool](repeating: false, count: n)
    var step = 0
    while !open.isEmpty && step < stepLimit {
      let state =
        step == 0
        ? samples.state : NeuralSheaf(network).forwardPass(point.columns(open))
      let logits = network.classLogits(state.stalks[network.lastVertex])
      let isSingle = network.outputActivation == .sigmoid
      let from = open.map { predicted[$0] }
      let moves = InputJacobians.map(network, at: state) { q, transpose -> ([Double], Double)? in
        let p = from[q]
        var (best, distance) = ([Double](), Double.infinity)
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
          if gap / square.squareRoot() < distance {
            distance = gap / square.squareRoot()
            best = normal.elements.map { $0 * gap / square }
          }
        }
        return best.isEmpty ? nil : (best, distance)
      }
      var stuck = Set<Int>()
      for (q, j) in open.enumerated() {
        guard let (move, distance) = moves[q] else {
          stuck.insert(j)
          continue
        }
        if step == 0 {
          linear[j] = distance
          for i in 0..<start.rows { foot[i, j] = start[i, j] + move[i] }
        }
        // A little beyond, or the boundary would be neared for ever.
        for i in 0..<start.rows {
          point[i, j] += 1.02 * move[i] + 1e-9 * (move[i] < 0 ? -1 : move[i] > 0 ? 1 : 0)
        }
      }
      open.removeAll { stuck.contains($0) }
      let reached = network.classLogits(network.logits(point.columns(open)))
      for (q, j) in open.enumerated() where reached.largestRow(ofColumn: q) != predicted[j] {
        isChanged[j] = true
      }
      open.removeAll { isChanged[$0] }
      step += 1
    }
    let changed = (0..<n).filter { isChanged[$0] }
    Self.halve(&point, from: start, changed, predicted, network)
    let ends = network.classLogits(network.logits(point))
    let isExact = Self.sharePattern(network, samples.state, foot)
    entries = (0..<n).map { j in
      guard isChanged[j] else {
        return Entry(
          predicted: predicted[j],
          rival: startLogits.largestRow(ofColumn: j, except: predicted[j]), linear: linear[j],
          reached: .infinity, isExact: false, point: [])
      }
      let distance = (0..<start.rows).reduce(0) {
        $0 + (point[$1, j] - start[$1, j]) * (point[$1, j] - start[$1, j])
      }.squareRoot()
      return Entry(
        predicted: predicted[j], rival: ends.largestRow(ofColumn: j, except: predicted[j]),
        linear: linear[j], reached: distance, isExact: isExact[j], point: point.column(j))
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
