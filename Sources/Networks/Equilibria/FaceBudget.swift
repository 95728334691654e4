import NeuralSheaves

/// How much work and memory the Schur complement of one sample's face may take before conjugate gradients,
/// which need neither, are the better way to solve it.
///
/// Conjugate gradients take two sweeps for each of 10–100 iterations. The Schur complement's rows are sweeps
/// as far as they are dense, and squares of their number; where thousands of places are tied, as where a
/// window takes the maximum of a constant background, they are out of all proportion.
struct FaceBudget: Sendable {
  /// Multiplications.
  let work: Double
  /// Numbers kept.
  let memory: Double

  /// No bound.
  static let unlimited = FaceBudget(work: .infinity, memory: .infinity)

  private init(work: Double, memory: Double) { (self.work, self.memory) = (work, memory) }

  /// The work of 150 iterations, 64 MB.
  ///
  /// Measured on [784,512,512,10], the two take equal times at 138 pinned coordinates: products of matrices
  /// are that much faster than sweeps of one sample. A small network's faces are always worth it.
  init(_ network: Network) {
    work = max(300 * Double(network.cost), 1e7)
    memory = 8e6
  }

  /// Whether p rows are too many, whatever their entries.
  func isExceeded(rows p: Int) -> Bool {
    let p = Double(p)
    return p * p > memory || p * p * p / 3 > work
  }

  /// What has been spent on a sample.
  struct Account {
    private(set) var work = 0.0
    private(set) var memory = 0.0

    /// Books dense columns at a vertex of a dimension, read by operations of a cost.
    mutating func add(columns: Int, dimension: Int, cost: Int) {
      let (n, d) = (Double(columns), Double(dimension))
      memory += n * d
      work += n * (Double(cost) + n * d / 2)
    }

    func exceeds(_ budget: FaceBudget) -> Bool { work > budget.work || memory > budget.memory }
  }
}
