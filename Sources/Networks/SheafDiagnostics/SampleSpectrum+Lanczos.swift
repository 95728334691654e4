import LinearAlgebra

extension SampleSpectrum {
  /// The ends of the spectrum of A, given with its inverse.
  init(
    _ a: some LinearOperator, _ inverse: some LinearOperator, _ settings: SheafSpectrum.Settings,
    seed: UInt64
  ) {
    let count = min(settings.pairs, a.rows)
    if settings.isFull || a.rows <= settings.denseLimit,
      let dense = try? SymmetricEigendecomposition(a.assembled(system: 0))
    {
      self.init(dense, count: count, gap: settings.clusterGap)
      return
    }
    var generator = RandomGenerator(seed: seed)
    let top = Self.pairs(of: a, count: count, settings, &generator)
    let bottom = Self.pairs(of: inverse, count: count, settings, &generator)
    let (largest, smallest) = (top.value.values, bottom.value.values.map { 1 / $0 })
    guard !largest.isEmpty && !smallest.isEmpty else {
      self.init(unknown: settings.halt.reason ?? .diverged, order: a.rows)
      return
    }
    func space(_ end: Solution<Eigenpairs>, _ values: [Double]) -> Eigenspace {
      Eigenspace(
        values: values, vectors: end.value.vectors, residuals: end.residuals,
        gap: settings.clusterGap)
    }
    self.init(
      fiedler: space(bottom, smallest), top: space(top, largest),
      smallest: Array(smallest.prefix(count)), largest: Array(largest.prefix(count)),
      eigenvalues: nil,
      status: (top.statuses + bottom.statuses).first { $0 != .converged } ?? .converged)
  }

  /// Nothing known.
  init(unknown reason: SolutionStatus, order: Int) {
    let space = Eigenspace(
      values: [.nan], vectors: Matrix(rows: order, columns: 0), residuals: [], gap: 0)
    self.init(
      fiedler: space, top: space, smallest: [], largest: [], eigenvalues: nil, status: reason)
  }

  private init(_ dense: SymmetricEigendecomposition, count: Int, gap: Double) {
    let n = dense.values.count
    func space(_ order: [Int]) -> Eigenspace {
      Eigenspace(
        values: order.map { dense.values[$0] }, vectors: dense.vectors.columns(order),
        residuals: order.map { _ in 0 }, gap: gap)
    }
    self.init(
      fiedler: space(Array(0..<n)), top: space((0..<n).reversed()),
      smallest: Array(dense.values.prefix(count)),
      largest: Array(dense.values.reversed().prefix(count)), eigenvalues: dense.values,
      status: .converged)
  }

  /// The largest eigenvalues of A, at least so many, and more until the cluster at the end is whole.
  private static func pairs(
    of a: some LinearOperator, count: Int, _ settings: SheafSpectrum.Settings,
    _ generator: inout RandomGenerator
  ) -> Solution<Eigenpairs> {
    let lanczos = BlockLanczos(tolerance: settings.tolerance, halt: settings.halt)
    var wanted = count + 1
    while true {
      let found = lanczos.eigenpairs(of: a, count: wanted, at: .largest, using: &generator)
      guard let first = found.value.values.first, let last = found.value.values.last,
        first - last <= settings.clusterGap * first, found.value.values.count < a.rows,
        found.statuses.allSatisfy({ $0 == .converged })
      else { return found }
      wanted = min(2 * wanted, a.rows)
    }
  }
}
