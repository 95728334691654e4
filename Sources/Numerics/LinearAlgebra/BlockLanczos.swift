/// Eigenvalues at one end of the spectrum of symmetric operators with their eigenvectors, by Lanczos iterations
/// with blocks of vectors, full reorthogonalisation and thick restarts (Golub, Underwood 1977; Wu, Simon 2000).
/// The systems of an operator are worked on side by side: each step applies all of them to their blocks at once.
///
/// A Krylov space has at most as many copies of a repeated eigenvalue as its block has vectors. So where a value that
/// is found repeats as often, another search follows in the orthogonal complement, until one finds nothing nearer to the
/// end of the spectrum: copies beyond the block are found, with probability one. (What counts a kernel is an exact
/// rank or an inertia all the same, not how many eigenvalues come out small.)
public struct BlockLanczos: Sendable {
  /// Which end of the spectrum.
  public enum End: Sendable { case smallest, largest }

  /// The number of vectors in a block.
  public var blockSize: Int
  /// A pair is done where ‖A v − θ v‖ is at most this times the largest |θ| seen.
  public var tolerance: Double
  /// The most vectors of a basis before it is restarted; nil for a few times the number of pairs.
  public var basisLimit: Int?
  /// The most blocks that an operator is applied to.
  public var stepLimit: Int
  /// Asked before each application whether to end.
  public var halt: Halt

  /// The method with its settings.
  public init(
    blockSize: Int = 4, tolerance: Double = 1e-10, basisLimit: Int? = nil, stepLimit: Int = 10_000,
    halt: Halt = .never
  ) {
    precondition(blockSize > 0, "blocks of \(blockSize) vectors")
    (self.blockSize, self.tolerance, self.basisLimit) = (blockSize, tolerance, basisLimit)
    (self.stepLimit, self.halt) = (stepLimit, halt)
  }

  /// The `count` eigenvalues at an end of the spectrum, from that end on, and orthonormal eigenvectors.
  ///
  /// Fewer where the order is less. Where the iteration ends early, the pairs as they are by then, perhaps fewer, with
  /// the reason as their status. The residuals are ‖A v − θ v‖ over the largest |θ| seen, worked out for the pairs
  /// that are returned; `iterations` are those of the whole search.
  ///
  /// Cost: per application of A to a block some 8 · basis · block · n operations, and now and then an
  /// eigen-decomposition of the order of the basis; memory basis · n.
  public func eigenpairs(
    of a: some LinearOperator, count: Int, at end: End, using generator: inout RandomGenerator
  ) -> Solution<Eigenpairs> {
    precondition(a.systems == nil, "the eigenpairs of \(a.systems ?? 0) systems as of one map")
    var search = EndSearch(self, order: a.rows, count: count, at: end, generator)
    check(a, count)
    while let block = search.block(halt.reason) { search.advance(a(block)) }
    generator = search.generator
    return search.solution { a($0) }
  }

  /// The same for each system of an operator, each with a generator of its own for its start.
  public func eigenpairs(
    ofEach a: some LinearOperator, count: Int, at end: End, using generators: [RandomGenerator]
  ) -> [Solution<Eigenpairs>] {
    precondition(a.systems == generators.count, "\(generators.count) generators")
    check(a, count)
    var searches = generators.map { EndSearch(self, order: a.rows, count: count, at: end, $0) }
    var (chosen, operators) = ([Int](), a)
    while true {
      let reason = halt.reason
      let blocks = searches.indices.map { searches[$0].block(reason) }
      let owners = blocks.indices.flatMap { j in
        [Int](repeating: j, count: blocks[j]?.columns ?? 0)
      }
      guard !owners.isEmpty else { break }
      if owners != chosen { (chosen, operators) = (owners, a.systems(owners)) }
      let images = operators(
        Matrix(
          rows: a.rows, columns: owners.count,
          columnMajor: blocks.flatMap { $0?.elements ?? [] }))
      var start = 0
      for (j, block) in blocks.enumerated() {
        guard let block else { continue }
        searches[j].advance(images.columns(start..<start + block.columns))
        start += block.columns
      }
    }
    return searches.enumerated().map { j, search in
      search.solution { a.systems([Int](repeating: j, count: $0.columns))($0) }
    }
  }

  private func check(_ a: some LinearOperator, _ count: Int) {
    precondition(
      a.traits.contains(.symmetric) && a.rows == a.columns && count >= 0,
      "\(count) eigenpairs of a map of shape (\(a.rows), \(a.columns)) that is not known to be symmetric"
    )
  }
}

/// Eigenvalues with orthonormal eigenvectors, one per column.
public struct Eigenpairs: Sendable {
  /// The eigenvalues.
  public var values: [Double]
  /// The eigenvectors.
  public var vectors: Matrix
  /// How the search for each ended.
  var statuses: [SolutionStatus] = []

  init(values: [Double], vectors: Matrix) { (self.values, self.vectors) = (values, vectors) }

  /// ‖A v − θ v‖ of each pair.
  public func residualNorms(of a: some LinearOperator) -> [Double] { residualNorms(a(vectors)) }

  /// The same from A V.
  func residualNorms(_ images: Matrix) -> [Double] {
    var difference = images
    difference.addScaledColumns(vectors, by: values, scale: -1)
    return values.indices.map { difference.sumOfSquares(column: $0).squareRoot() }
  }

  func first(_ n: Int) -> Eigenpairs {
    let n = min(n, values.count)
    var result = Eigenpairs(values: Array(values.prefix(n)), vectors: vectors.columns(0..<n))
    result.statuses = Array(statuses.prefix(n))
    return result
  }

  mutating func merge(_ other: Eigenpairs, status: SolutionStatus, from end: BlockLanczos.End) {
    let all = values + other.values
    let ends = statuses + other.values.map { _ in status }
    let order = all.indices.sorted { end == .largest ? all[$0] > all[$1] : all[$0] < all[$1] }
    var joined = Matrix(rows: vectors.rows, columns: all.count)
    joined.setColumns(from: 0, to: vectors)
    joined.setColumns(from: values.count, to: other.vectors)
    (values, vectors) = (order.map { all[$0] }, joined.columns(order))
    statuses = order.map { ends[$0] }
  }
}

/// The pairs at one end of one system: searches one after the other, each orthogonal to what is known.
private struct EndSearch {
  let settings: BlockLanczos
  let order: Int
  let count: Int
  let end: BlockLanczos.End
  var generator: RandomGenerator
  private var found: Eigenpairs
  private var search: KrylovSearch?
  private var steps = 0
  private var scale = 0.0

  init(
    _ settings: BlockLanczos, order: Int, count: Int, at end: BlockLanczos.End,
    _ generator: RandomGenerator
  ) {
    (self.settings, self.order, self.count, self.end) = (settings, order, count, end)
    self.generator = generator
    found = Eigenpairs(values: [], vectors: Matrix(rows: order, columns: 0))
    startSearch()
  }

  private mutating func startSearch() {
    let missing = max(settings.blockSize, count - found.values.count)
    search =
      found.values.count < order && count > 0
      ? KrylovSearch(
        settings, orthogonalTo: found.vectors, count: missing, at: end, using: &generator) : nil
  }

  /// What the operator is to be applied to next; nil where the search has ended, or ends for a reason.
  mutating func block(_ reason: SolutionStatus?) -> Matrix? {
    guard search != nil else { return nil }
    if let reason = reason ?? (steps >= settings.stepLimit ? .stepLimit : nil) {
      search!.stop(reason)
      close()
      return nil
    }
    return search!.block
  }

  /// Takes the image of the block.
  mutating func advance(_ image: Matrix) {
    steps += 1
    search!.advance(image, using: &generator)
    if search!.status != nil { close() }
  }

  /// Takes what a search has found, and starts the next if there may be more.
  private mutating func close() {
    let (new, status) = (search!.pairs, search!.status!)
    scale = max(scale, search!.scale)
    search = nil
    let margin = settings.tolerance * scale
    func isNoNearer(_ value: Double, than last: Double) -> Bool {
      end == .largest ? value <= last + margin : value >= last - margin
    }
    let before = found.values.count >= count ? found.values[count - 1] : nil
    let isConfirming = !found.values.isEmpty
    found.merge(new, status: status, from: end)
    guard status == .converged else {
      // That there is nothing nearer to the end was not confirmed.
      if isConfirming { found.statuses = found.statuses.map { _ in status } }
      return
    }
    if let before, new.values.allSatisfy({ isNoNearer($0, than: before) }) { return }
    if found.values.count >= count, !isFull(new.values),
      isNoNearer(new.values.last!, than: found.values[count - 1])
    {
      return
    }
    startSearch()
  }

  /// Whether a value repeats as often as a Krylov space can show, as far as they can be told apart.
  private func isFull(_ values: [Double]) -> Bool {
    let margin = max(1e-6, 10 * settings.tolerance) * scale
    let width = settings.blockSize
    return values.indices.dropFirst(width - 1).contains {
      abs(values[$0] - values[$0 - width + 1]) <= margin
    }
  }

  func solution(_ apply: (Matrix) -> Matrix) -> Solution<Eigenpairs> {
    let pairs = found.first(count)
    let norms = pairs.values.isEmpty ? [] : pairs.residualNorms(apply(pairs.vectors))
    return Solution(
      pairs, statuses: pairs.statuses, residuals: norms.map { scale > 0 ? $0 / scale : $0 },
      iterations: pairs.values.map { _ in steps })
  }
}
