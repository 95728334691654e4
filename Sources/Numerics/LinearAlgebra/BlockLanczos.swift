/// Eigenvalues at one end of the spectrum of a symmetric operator with their eigenvectors, by Lanczos iterations
/// with blocks of vectors, full reorthogonalisation and thick restarts (Golub, Underwood 1977; Wu, Simon 2000).
///
/// A Krylov space has at most as many copies of a repeated eigenvalue as its block has vectors. So each set of
/// pairs is followed by a search in its orthogonal complement, until that finds nothing nearer to the end of the
/// spectrum: copies beyond the block are found, with probability one. (What counts a kernel is an exact rank or
/// an inertia all the same, not how many eigenvalues come out small.)
public struct BlockLanczos: Sendable {
  /// Which end of the spectrum.
  public enum End: Sendable { case smallest, largest }

  /// The number of vectors in a block.
  public var blockSize: Int
  /// A pair is done where ‖A v − θ v‖ is at most this times the largest |θ| seen.
  public var tolerance: Double
  /// The most vectors of a basis before it is restarted; nil for a few times the number of pairs.
  public var basisLimit: Int?
  /// The most blocks that the operator is applied to.
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
  /// Cost: per application of A to a block some 8 · basis · block · n operations and an eigen-decomposition of the
  /// order of the basis; memory basis · n.
  public func eigenpairs(
    of a: some LinearOperator, count: Int, at end: End, using generator: inout RandomGenerator
  ) -> Solution<Eigenpairs> {
    precondition(
      a.traits.contains(.symmetric) && a.rows == a.columns && a.systems == nil && count >= 0,
      "\(count) eigenpairs of a map of shape (\(a.rows), \(a.columns)) that is not known to be symmetric"
    )
    var found = Eigenpairs(values: [], vectors: Matrix(rows: a.rows, columns: 0))
    var (steps, scale) = (0, 0.0)
    while found.values.count < a.rows && count > 0 {
      var search = KrylovSearch(self, orthogonalTo: found.vectors)
      let new = search.run(
        a, count: max(blockSize, count - found.values.count), at: end, steps: &steps,
        using: &generator)
      scale = max(scale, search.scale)
      let last = found.values.count >= count ? found.values[count - 1] : nil
      found.merge(new, status: search.status, from: end)
      if search.status != .converged { break }
      let margin = tolerance * scale
      if let last,
        new.values.allSatisfy({ end == .largest ? $0 <= last + margin : $0 >= last - margin })
      {
        break
      }
    }
    found = found.first(count)
    let residuals = found.residualNorms(of: a).map { scale > 0 ? $0 / scale : $0 }
    return Solution(
      found, statuses: found.statuses, residuals: residuals,
      iterations: found.values.map { _ in steps })
  }
}

/// Eigenvalues with orthonormal eigenvectors, one per column.
public struct Eigenpairs: Sendable {
  /// The eigenvalues.
  public var values: [Double]
  /// The eigenvectors.
  public var vectors: Matrix
  /// How the search for each ended.
  fileprivate var statuses: [SolutionStatus] = []

  fileprivate init(values: [Double], vectors: Matrix) {
    (self.values, self.vectors) = (values, vectors)
  }

  /// ‖A v − θ v‖ of each pair.
  public func residualNorms(of a: some LinearOperator) -> [Double] {
    var difference = a(vectors)
    difference.addScaledColumns(vectors, by: values, scale: -1)
    return values.indices.map { difference.sumOfSquares(column: $0).squareRoot() }
  }

  fileprivate func first(_ n: Int) -> Eigenpairs {
    let n = min(n, values.count)
    var result = Eigenpairs(values: Array(values.prefix(n)), vectors: vectors.columns(0..<n))
    result.statuses = Array(statuses.prefix(n))
    return result
  }

  fileprivate mutating func merge(
    _ other: Eigenpairs, status: SolutionStatus, from end: BlockLanczos.End
  ) {
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

/// The search for some pairs in the orthogonal complement of others.
private struct KrylovSearch {
  let settings: BlockLanczos
  /// Orthonormal columns that the search stays orthogonal to.
  let known: Matrix
  var status = SolutionStatus.converged
  /// The largest |θ| seen.
  var scale = 0.0
  /// An orthonormal basis V, the last columns of which A has not been applied to; and H = VᵀAV of the others.
  private var basis: [Matrix] = []
  private var projected = Matrix(rows: 0, columns: 0)

  init(_ settings: BlockLanczos, orthogonalTo known: Matrix) {
    (self.settings, self.known) = (settings, known)
  }

  mutating func run(
    _ a: some LinearOperator, count: Int, at end: BlockLanczos.End, steps: inout Int,
    using generator: inout RandomGenerator
  ) -> Eigenpairs {
    let n = a.rows
    let room = n - known.columns
    let count = min(count, room)
    let width = min(settings.blockSize, room)
    let limit = min(
      room, max(settings.basisLimit ?? max(2 * count + 8 * width, 40), count + 2 * width))
    var block = Matrix(rows: n, columns: 0)
    _ = extend(&block, by: width, &generator)
    var size = 0
    let none = Eigenpairs(values: [], vectors: Matrix(rows: n, columns: 0))
    if let reason = ending(steps) {
      status = reason
      return none
    }
    while true {
      steps += 1
      var image = a(block)
      let magnitude = max(scale, image.maximumMagnitude)
      basis.append(block)
      // H gains the columns of the block; what lies outside the basis is the next one.
      let coefficients = orthogonalize(&image)
      let grown = size + block.columns
      var h = Matrix(rows: grown, columns: grown)
      h.setBlock(row: 0, column: 0, to: projected)
      h.setBlock(row: 0, column: size, to: coefficients)
      h.setBlock(row: size, column: 0, to: coefficients.transposed)
      let middle = coefficients.rows(size..<grown)
      for j in 0..<block.columns {
        for i in 0..<block.columns {
          h[size + i, size + j] = (middle[i, j] + middle[j, i]) / 2
        }
      }
      projected = h
      size = grown
      let old = block.columns
      var next = Matrix(rows: n, columns: 0)
      let triangle = append(
        image, to: &next, &generator, atMost: min(width, room - size), above: 1e-13 * magnitude)
      guard let ritz = try? SymmetricEigendecomposition(projected) else {
        status = .diverged
        return none
      }
      scale = max(scale, ritz.values.maximumMagnitude)
      let order = end == .largest ? Array((0..<size).reversed()) : Array(0..<size)
      let tails = triangle * ritz.vectors.rows(size - old..<size)
      func isDone(_ i: Int) -> Bool {
        tails.sumOfSquares(column: i).squareRoot() <= settings.tolerance * scale
      }
      let areDone =
        size >= count && (order.prefix(count).allSatisfy(isDone) || next.columns == 0)
      let early = areDone ? nil : ending(steps)
      if areDone || early != nil {
        status = early ?? .converged
        let chosen = Array(order.prefix(count))
        return Eigenpairs(
          values: chosen.map { ritz.values[$0] }, vectors: joined * ritz.vectors.columns(chosen))
      }
      if size + next.columns > limit {
        // Thick restart: the Ritz vectors nearest to the end, and the next block.
        let kept = Array(order.prefix(min(size - 1, count + width)))
        let vectors = joined * ritz.vectors.columns(kept)
        basis = [vectors]
        projected = .diagonal(kept.map { ritz.values[$0] })
        size = kept.count
      }
      block = next
    }
  }

  /// Why to end now, if there is a reason.
  private func ending(_ steps: Int) -> SolutionStatus? {
    settings.halt.reason ?? (steps >= settings.stepLimit ? .stepLimit : nil)
  }

  private var joined: Matrix {
    var result = Matrix(rows: known.rows, columns: basis.reduce(0) { $0 + $1.columns })
    var start = 0
    for part in basis {
      result.setColumns(from: start, to: part)
      start += part.columns
    }
    return result
  }

  /// w ← w − V Vᵀ w, and off `known`; Vᵀ w. Twice, which is enough (Parlett 1980, §6.9).
  private func orthogonalize(_ w: inout Matrix) -> Matrix {
    var coefficients: Matrix?
    for _ in 0..<2 {
      if known.columns > 0 {
        var inside = Matrix(rows: known.columns, columns: w.columns)
        inside.setProduct(known, w, transposing: .left)
        w.addProduct(known, inside, scale: -1)
      }
      var parts: [Matrix] = []
      for v in basis {
        var inside = Matrix(rows: v.columns, columns: w.columns)
        inside.setProduct(v, w, transposing: .left)
        w.addProduct(v, inside, scale: -1)
        parts.append(inside)
      }
      let all = Matrix(stacking: parts, columns: w.columns)
      if coefficients == nil { coefficients = all } else { coefficients!.add(all) }
    }
    return coefficients!
  }

  /// Appends an orthonormal basis of the columns of w, which are orthogonal to V, and random vectors in place of
  /// those of which no more than `rounding` is independent of the others; R with w = block · R.
  private func append(
    _ w: Matrix, to block: inout Matrix, _ generator: inout RandomGenerator, atMost width: Int,
    above rounding: Double
  ) -> Matrix {
    var triangle = Matrix(rows: width, columns: w.columns)
    for j in 0..<w.columns {
      var column = w.columns(j..<j + 1)
      for _ in 0..<2 where block.columns > 0 {
        var inside = Matrix(rows: block.columns, columns: 1)
        inside.setProduct(block, column, transposing: .left)
        column.addProduct(block, inside, scale: -1)
        for i in 0..<block.columns { triangle[i, j] += inside[i, 0] }
      }
      let rest = column.sumOfSquares.squareRoot()
      guard block.columns < width else { continue }
      if rest > rounding {
        triangle[block.columns, j] = rest
        column.scale(by: 1 / rest)
        _ = orthogonalize(&column)
        column.scale(by: 1 / column.sumOfSquares.squareRoot())
        block = block.appending(column)
      } else {
        _ = extend(&block, by: 1, &generator)
      }
    }
    return triangle.rows(0..<block.columns)
  }

  /// Appends random unit vectors, orthogonal to all there are.
  private func extend(
    _ block: inout Matrix, by count: Int, _ generator: inout RandomGenerator
  ) -> Int {
    for k in 0..<count {
      var column = generator.normalMatrix(rows: known.rows, columns: 1)
      for _ in 0..<2 {
        if !basis.isEmpty || known.columns > 0 { _ = orthogonalize(&column) }
        if block.columns > 0 {
          var inside = Matrix(rows: block.columns, columns: 1)
          inside.setProduct(block, column, transposing: .left)
          column.addProduct(block, inside, scale: -1)
        }
      }
      let size = column.sumOfSquares.squareRoot()
      guard size > 0 else { return k }
      column.scale(by: 1 / size)
      block = block.appending(column)
    }
    return count
  }
}

extension Matrix {
  /// The matrix with more columns at its right.
  fileprivate func appending(_ other: Matrix) -> Matrix {
    Matrix(
      rows: rows, columns: columns + other.columns, columnMajor: elements + other.elements)
  }
}
