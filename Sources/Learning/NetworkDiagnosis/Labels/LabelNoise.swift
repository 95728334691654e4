import Foundation
import LinearAlgebra

/// A model of labels some of which are wrong: a sample is of class c with probability p_c ∝ exp(β s_c), s the scores of something that has not seen
/// its label, and is labelled y with probability Q_cy.
///
/// *Two numbers.* Wrong labels at one rate η, all other classes alike: Q_cc = 1 − η, Q_cy = η/(K − 1). β and η are those of the greatest likelihood.
///
/// *A matrix.* Where some classes are taken for some others more often, Q is fitted by expectation and maximisation (Dempster et al. 1977) with
/// the two-number Q, counted 20 times for each class, as prior. It is taken where its penalised likelihood is larger by more than
/// (K/3 + ½) log n; on few samples of two classes that may miss it.
///
/// *None.* η = 0 unless the likelihood is larger with it by more than ½ log n: classes that overlap, and labels that have nothing to do with the samples, are no
/// wrong labels.
///
/// The chance that a label is wrong is w = 1 − p_y Q_yy / Σ_c p_c Q_cy, a local false discovery rate (Efron et al. 2001) turned round. It is true
/// as far as the model is.
public struct LabelNoise: Sendable {
  /// What scores are.
  public enum Score: Sendable {
    /// Logits.
    case logits
    /// −log d², d the distance from a class: p_c ∝ d_c^(−2β), for classes that lie apart.
    case logarithmicDistances
    /// −d²: p_c ∝ exp(−βd_c²), for normal distributions that overlap.
    case squaredDistances

    /// Where β is looked for.
    var range: ClosedRange<Double> {
      switch self {
      case .logits: 0.01...8
      case .logarithmicDistances: 0.01...60
      case .squaredDistances: 0.001...10
      }
    }
  }

  /// The rate of wrong labels: η, or the share that the matrix leads to expect.
  public let rate: Double
  /// β.
  public let inverseTemperature: Double
  /// The log-likelihood less ½ log n for η and (K/3 + ½) log n for a matrix, where they were taken.
  public let evidence: Double
  /// Q, (true class, label), where it was taken.
  public let transitions: Matrix?
  /// w of each sample.
  public let chances: [Double]
  /// By sample −log p_y.
  public let surprises: [Double]
  /// By sample the probability that a label drawn from p is no likelier than its own: Σ of p_c over the classes with p_c ≤ p_y. At most u with
  /// probability at most u where p is true.
  public let pValues: [Double]
  /// By sample the likeliest class but for the one given.
  public let proposed: [Int]

  /// The weight of the prior of each row of Q, in samples.
  private static let priorWeight = 20.0

  /// What a matrix must gain: (K/3 + ½) log n, four times the most that it gained on digits without wrong labels, and a quarter more than on MNIST.
  private static func matrixPrice(_ k: Int, _ n: Double) -> Double {
    (Double(k) / 3 + 0.5) * log(n)
  }

  /// Fits the model to scores, (classes, samples). Cost: some hundred passes over them.
  public init(_ scores: Matrix, _ classes: [Int], _ kind: Score) {
    let k = scores.rows
    precondition(k > 1 && scores.columns == classes.count)
    let n = Double(classes.count)
    let none = UniformNoise(scores, classes, in: kind.range, rate: 0)
    let even = UniformNoise(scores, classes, in: kind.range)
    let isEven = even.value - none.value > log(n) / 2
    let simple = isEven ? even : none
    var (beta, q, rate) = (simple.beta, Matrix?.none, simple.rate)
    var evidence = isEven ? even.value - log(n) / 2 : none.value
    if let fit = ConfusionNoise(scores, classes, from: even, priorWeight: Self.priorWeight),
      fit.value - Self.matrixPrice(k, n) > evidence
    {
      (beta, q, rate) = (fit.beta, fit.transitions, fit.rate)
      evidence = fit.value - Self.matrixPrice(k, n)
    }
    self.evidence = evidence
    var scaled = scores
    scaled.scale(by: beta)
    let logs = logSoftmax(scaled)
    let other = simple.rate / Double(k - 1)
    func transition(_ c: Int, _ y: Int) -> Double {
      q?[c, y] ?? (c == y ? 1 - simple.rate : other)
    }
    (inverseTemperature, transitions, self.rate) = (beta, q, rate)
    surprises = classes.enumerated().map { -logs[$1, $0] }
    chances = classes.enumerated().map { j, y in
      var (wrong, right) = (0.0, 0.0)
      for c in 0..<k {
        let part = exp(logs[c, j]) * transition(c, y)
        if c == y { right += part } else { wrong += part }
      }
      return wrong / max(wrong + right, .leastNormalMagnitude)
    }
    pValues = classes.enumerated().map { j, y in
      min(1, (0..<k).reduce(0) { $0 + (logs[$1, j] <= logs[y, j] ? exp(logs[$1, j]) : 0) })
    }
    proposed = classes.enumerated().map { j, y in
      (0..<k).filter { $0 != y }.max { a, b in
        logs[a, j] + log(max(transition(a, y), 1e-300)) < logs[b, j]
          + log(max(transition(b, y), 1e-300))
      }!
    }
  }

  /// The samples in the order of their chances, then of their surprises, largest first.
  public var ranking: [Int] {
    chances.indices.sorted { (chances[$0], surprises[$0]) > (chances[$1], surprises[$1]) }
  }

  /// The samples whose labels are taken for wrong, likeliest first: the most whose labels are each likelier wrong than right, and of which on average no more
  /// than a share are right after all, as the model has it.
  public func suspects(falseDiscoveryRate share: Double) -> [Int] {
    let order = ranking
    var (right, chosen) = (0.0, 0)
    for (count, j) in order.enumerated() where chances[j] > 0.5 {
      right += 1 - chances[j]
      if right <= share * Double(count + 1) { chosen = count + 1 }
    }
    return Array(order.prefix(chosen))
  }

  /// The same for more samples, of which those at some places are these; of others nothing is known: w = 0, p = 1.
  func spread(over scores: Matrix, _ classes: [Int], at places: [Int]) -> LabelNoise {
    LabelNoise(self, scores, classes, places)
  }

  private init(_ own: LabelNoise, _ scores: Matrix, _ classes: [Int], _ places: [Int]) {
    (rate, inverseTemperature, transitions) = (own.rate, own.inverseTemperature, own.transitions)
    evidence = own.evidence
    func filled(_ blank: Double, _ list: [Double]) -> [Double] {
      var result = [Double](repeating: blank, count: classes.count)
      for (k, j) in places.enumerated() { result[j] = list[k] }
      return result
    }
    chances = filled(0, own.chances)
    surprises = filled(0, own.surprises)
    pValues = filled(1, own.pValues)
    var proposed = classes.enumerated().map { scores.largestRow(ofColumn: $0, except: $1) }
    for (k, j) in places.enumerated() { proposed[j] = own.proposed[k] }
    self.proposed = proposed
  }
}
