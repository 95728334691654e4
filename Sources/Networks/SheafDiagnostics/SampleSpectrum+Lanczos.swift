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
      SampleSpectrum(
        bottom, smallest: bottom.value.values.map { 1 / $0 }, top, count: count, settings)
    }
  }

  /// The ends as they were found; NaN where one was not.
  private init(
    _ bottom: Solution<Eigenpairs>, smallest: [Double], _ top: Solution<Eigenpairs>, count: Int,
    _ settings: SheafSpectrum.Settings
  ) {
    func space(_ end: Solution<Eigenpairs>, _ values: [Double]) -> Eigenspace {
      Eigenspace(
        values: values.isEmpty ? [.nan] : values, vectors: end.value.vectors,
        residuals: end.residuals, gap: settings.clusterGap)
    }
    let largest = top.value.values
    let isWhole = !largest.isEmpty && !smallest.isEmpty
    self.init(
      fiedler: space(bottom, smallest), top: space(top, largest),
      smallest: Array(smallest.prefix(count)), largest: Array(largest.prefix(count)),
      eigenvalues: nil, iterations: (top.iterations.max() ?? 0) + (bottom.iterations.max() ?? 0),
      status: (top.statuses + bottom.statuses).first { $0 != .converged }
        ?? (isWhole ? .converged : settings.halt.reason ?? .diverged))
  }

  /// Nothing known.
  init(unknown reason: SolutionStatus, order: Int) {
    let space = Eigenspace(
      values: [.nan], vectors: Matrix(rows: order, columns: 0), residuals: [], gap: 0)
    self.init(
      fiedler: space, top: space, smallest: [], largest: [], eigenvalues: nil, iterations: 0,
      status: reason)
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
      iterations: 0, status: .converged)
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
    let lanczos = BlockLanczos(
      blockSize: 2, tolerance: settings.tolerance, stepLimit: 3000, halt: settings.halt)
    let count = min(settings.pairs, a.rows)
    var generator = generator
    func end(_ end: BlockLanczos.End) -> Solution<Eigenpairs> {
      var wanted = count + 1
      var found = lanczos.eigenpairs(of: a, count: wanted, at: end, using: &generator)
      while Self.isCluster(found, order: a.rows, settings) {
        wanted = min(2 * wanted, a.rows)
        found.widen(lanczos.eigenpairs(of: a, count: wanted, at: end, using: &generator))
      }
      return found
    }
    let (top, bottom) = (end(.largest), end(.smallest))
    self.init(
      SampleSpectrum(bottom, smallest: bottom.value.values, top, count: count, settings), expanded)
  }

  /// The same with vectors in other coordinates.
  private init(_ other: SampleSpectrum, _ expanded: (Matrix) -> Matrix) {
    self.init(
      fiedler: Eigenspace(other.fiedler, expanded), top: Eigenspace(other.top, expanded),
      smallest: other.smallest, largest: other.largest, eigenvalues: other.eigenvalues,
      iterations: other.iterations, status: other.status)
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
      let open = found.indices.filter { Self.isCluster(found[$0], order: a.rows, settings) }
      guard !open.isEmpty else { return found }
      wanted = min(2 * wanted, a.rows)
      let more = lanczos.eigenpairs(
        ofEach: a.systems(open), count: wanted, at: .largest, using: open.map { generators[$0] })
      for (q, j) in open.enumerated() { found[j].widen(more[q]) }
    }
  }

  /// Whether all pairs that were found are of one cluster, which may have more.
  private static func isCluster(
    _ found: Solution<Eigenpairs>, order: Int, _ settings: SheafSpectrum.Settings
  ) -> Bool {
    guard let first = found.value.values.first, let last = found.value.values.last,
      found.statuses.allSatisfy({ $0 == .converged })
    else { return false }
    return found.value.values.count < order
      && abs(first - last) <= settings.clusterGap * abs(first)
  }
}

extension Solution<Eigenpairs> {
  /// Takes more pairs; where they were not found what is there stays, with the reason.
  fileprivate mutating func widen(_ more: Solution<Eigenpairs>) {
    if let reason = more.statuses.first(where: { $0 != .converged }) {
      statuses = statuses.map { _ in reason }
    } else if more.value.values.count >= value.values.count {
      self = more
    } else {
      statuses = statuses.map { _ in .interrupted }
    }
  }
}
