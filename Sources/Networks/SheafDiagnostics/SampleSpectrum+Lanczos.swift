import LinearAlgebra

extension SampleSpectrum {
  /// The ends of the spectra of the systems of A, given with its inverse; generators by system.
  static func ends(
    of a: some LinearOperator, _ inverse: some LinearOperator, _ settings: SheafSpectrum.Settings,
    using generators: [RandomGenerator]
  ) -> [SampleSpectrum] {
    let count = min(settings.pairs, a.rows)
    let tops = pairs(of: a, count: count, settings, generators)
    let bottoms = pairs(of: inverse, count: count, settings, generators)
    return zip(tops, bottoms).map { top, bottom in
      let (largest, smallest) = (top.value.values, bottom.value.values.map { 1 / $0 })
      guard !largest.isEmpty && !smallest.isEmpty else {
        return SampleSpectrum(unknown: settings.halt.reason ?? .diverged, order: a.rows)
      }
      func space(_ end: Solution<Eigenpairs>, _ values: [Double]) -> Eigenspace {
        Eigenspace(
          values: values, vectors: end.value.vectors, residuals: end.residuals,
          gap: settings.clusterGap)
      }
      return SampleSpectrum(
        fiedler: space(bottom, smallest), top: space(top, largest),
        smallest: Array(smallest.prefix(count)), largest: Array(largest.prefix(count)),
        eigenvalues: nil,
        status: (top.statuses + bottom.statuses).first { $0 != .converged } ?? .converged)
    }
  }

  /// Nothing known.
  init(unknown reason: SolutionStatus, order: Int) {
    let space = Eigenspace(
      values: [.nan], vectors: Matrix(rows: order, columns: 0), residuals: [], gap: 0)
    self.init(
      fiedler: space, top: space, smallest: [], largest: [], eigenvalues: nil, status: reason)
  }

  /// All of a spectrum.
  init(_ dense: SymmetricEigendecomposition, _ settings: SheafSpectrum.Settings) {
    let n = dense.values.count
    let count = min(settings.pairs, n)
    func space(_ order: [Int]) -> Eigenspace {
      Eigenspace(
        values: order.map { dense.values[$0] }, vectors: dense.vectors, order: order,
        gap: settings.clusterGap)
    }
    self.init(
      fiedler: space(Array(0..<n)), top: space((0..<n).reversed()),
      smallest: Array(dense.values.prefix(count)),
      largest: Array(dense.values.reversed().prefix(count)), eigenvalues: dense.values,
      status: .converged)
  }

  /// The ends of the spectrum of one map of which no inverse is known; vectors are expanded from its coordinates.
  init(
    of a: some LinearOperator, _ settings: SheafSpectrum.Settings, denseLimit: Int,
    generator: RandomGenerator, _ expanded: (Matrix) -> Matrix
  ) {
    guard a.rows > 0 else {
      self.init(unknown: .converged, order: expanded(Matrix(rows: 0, columns: 1)).rows)
      return
    }
    if settings.isFull || a.rows <= denseLimit,
      let all = try? SymmetricEigendecomposition(a.assembled())
    {
      self.init(SampleSpectrum(all, settings), expanded)
      return
    }
    var generator = generator
    let lanczos = BlockLanczos(
      blockSize: 2, tolerance: settings.tolerance, stepLimit: 3000, halt: settings.halt)
    let count = min(settings.pairs, a.rows)
    let top = lanczos.eigenpairs(of: a, count: count, at: .largest, using: &generator)
    let bottom = lanczos.eigenpairs(of: a, count: count, at: .smallest, using: &generator)
    guard !top.value.values.isEmpty && !bottom.value.values.isEmpty else {
      self.init(
        unknown: settings.halt.reason ?? .diverged,
        order: expanded(Matrix(rows: a.rows, columns: 1)).rows)
      return
    }
    func space(_ end: Solution<Eigenpairs>) -> Eigenspace {
      Eigenspace(
        values: end.value.values, vectors: end.value.vectors, residuals: end.residuals,
        gap: settings.clusterGap)
    }
    self.init(
      SampleSpectrum(
        fiedler: space(bottom), top: space(top), smallest: bottom.value.values,
        largest: top.value.values, eigenvalues: nil,
        status: (top.statuses + bottom.statuses).first { $0 != .converged } ?? .converged),
      expanded)
  }

  /// The same with vectors in other coordinates.
  private init(_ other: SampleSpectrum, _ expanded: (Matrix) -> Matrix) {
    self.init(
      fiedler: Eigenspace(other.fiedler, expanded), top: Eigenspace(other.top, expanded),
      smallest: other.smallest, largest: other.largest, eigenvalues: other.eigenvalues,
      status: other.status)
  }

  /// The largest eigenvalues of each system, at least so many, and more until the cluster at the end is whole.
  private static func pairs(
    of a: some LinearOperator, count: Int, _ settings: SheafSpectrum.Settings,
    _ generators: [RandomGenerator]
  ) -> [Solution<Eigenpairs>] {
    let lanczos = BlockLanczos(
      blockSize: 2, tolerance: settings.tolerance, halt: settings.halt)
    var wanted = count + 1
    var found = lanczos.eigenpairs(ofEach: a, count: wanted, at: .largest, using: generators)
    while true {
      let open = found.indices.filter { j in
        guard let first = found[j].value.values.first, let last = found[j].value.values.last,
          found[j].statuses.allSatisfy({ $0 == .converged })
        else { return false }
        return found[j].value.values.count < a.rows && first - last <= settings.clusterGap * first
      }
      guard !open.isEmpty else { return found }
      wanted = min(2 * wanted, a.rows)
      let more = lanczos.eigenpairs(
        ofEach: a.systems(open), count: wanted, at: .largest, using: open.map { generators[$0] })
      for (q, j) in open.enumerated() { found[j] = more[q] }
    }
  }
}
