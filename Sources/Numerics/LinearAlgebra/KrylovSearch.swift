/// The search for some pairs at an end of a spectrum in the orthogonal complement of others, which tells what the
/// operator is to be applied to next and takes the image (reverse communication).
struct KrylovSearch {
  /// An orthonormal block: the operator is to be applied to it.
  private(set) var block: Matrix
  /// How it has ended, if it has, and the pairs by then.
  private(set) var status: SolutionStatus?
  private(set) var pairs: Eigenpairs
  /// The largest |θ| seen.
  private(set) var scale = 0.0

  private let tolerance: Double
  private let count: Int
  private let end: BlockLanczos.End
  private let width: Int
  /// Orthonormal columns that the search stays orthogonal to.
  private let known: Matrix
  /// An orthonormal basis V, its first `size` columns; and H = VᵀAV.
  private var basis: Matrix
  private var projected: Matrix
  private var size = 0
  /// The size of the basis from which on Ritz pairs are looked at again: decompositions cost more than steps.
  private var nextLook: Int

  /// - Parameter count: of the pairs, at most as many as there is room for.
  init(
    _ settings: BlockLanczos, orthogonalTo known: Matrix, count: Int, at end: BlockLanczos.End,
    using generator: inout RandomGenerator
  ) {
    let room = known.rows - known.columns
    (self.known, self.end, tolerance) = (known, end, settings.tolerance)
    self.count = min(count, room)
    width = min(settings.blockSize, room)
    let limit = settings.basisLimit ?? max(2 * self.count + 8 * width, 48)
    let capacity = min(room, max(limit, self.count + 2 * width))
    basis = Matrix(rows: known.rows, columns: capacity)
    projected = Matrix(rows: capacity, columns: capacity)
    block = Matrix(rows: known.rows, columns: 0)
    pairs = Eigenpairs(values: [], vectors: block)
    nextLook = self.count
    _ = extend(&block, by: width, &generator)
  }

  /// Ends with the Ritz pairs that there are.
  mutating func stop(_ reason: SolutionStatus) {
    status = reason
    guard size > 0, let ritz = try? SymmetricEigendecomposition(known(projected)) else { return }
    take(order(ritz).prefix(count), of: ritz)
  }

  /// Takes the image of the block under the operator.
  mutating func advance(_ image: Matrix, using generator: inout RandomGenerator) {
    var image = image
    let magnitude = max(scale, image.maximumMagnitude)
    let old = block.columns
    basis.setColumns(from: size, to: block)
    size += old
    // H gains the columns of the block; what lies outside the basis is the next one.
    let coefficients = orthogonalize(&image)
    for j in 0..<old {
      let to = size - old + j
      for i in 0..<size {
        // The block's own part is made symmetric.
        let isWithin = i >= size - old
        let value =
          isWithin
          ? (coefficients[i, j] + coefficients[to, i - size + old]) / 2 : coefficients[i, j]
        projected[i, to] = value
        projected[to, i] = value
      }
    }
    let room = basis.rows - known.columns - size
    var next = Matrix(rows: basis.rows, columns: 0)
    let triangle = append(
      image, to: &next, &generator, atMost: min(width, room), above: 1e-13 * magnitude)
    let isFull = size + next.columns > basis.columns
    block = next
    guard size >= nextLook || isFull || next.columns == 0 else { return }
    nextLook = max(size + 1, size * 6 / 5)
    guard let ritz = try? SymmetricEigendecomposition(known(projected)) else {
      status = .diverged
      return
    }
    scale = max(scale, ritz.values.maximumMagnitude)
    let order = order(ritz)
    let tails = triangle * ritz.vectors.rows(size - old..<size)
    let bound = tolerance * scale
    let isDone = { (i: Int) in tails.sumOfSquares(column: i).squareRoot() <= bound }
    if size >= count && (next.columns == 0 || order.prefix(count).allSatisfy(isDone)) {
      status = .converged
      take(order.prefix(count), of: ritz)
    } else if isFull {
      // Thick restart: the Ritz vectors nearest to the end, and the next block.
      let kept = Array(order.prefix(min(size - 1, count + width)))
      var vectors = Matrix(rows: basis.rows, columns: kept.count)
      vectors.addProduct(ofColumns: 0..<size, of: basis, ritz.vectors.columns(kept))
      basis.setColumns(from: 0, to: vectors)
      size = kept.count
      projected.fill(0)
      for (i, k) in kept.enumerated() { projected[i, i] = ritz.values[k] }
      nextLook = size + 1
    }
  }

  /// Ritz values from the end on.
  private func order(_ ritz: SymmetricEigendecomposition) -> [Int] {
    let all = ritz.values.indices
    return end == .largest ? all.reversed() : Array(all)
  }

  private mutating func take(_ chosen: ArraySlice<Int>, of ritz: SymmetricEigendecomposition) {
    var vectors = Matrix(rows: basis.rows, columns: chosen.count)
    vectors.addProduct(ofColumns: 0..<size, of: basis, ritz.vectors.columns(Array(chosen)))
    pairs = Eigenpairs(values: chosen.map { ritz.values[$0] }, vectors: vectors)
  }

  /// The part of H that is known.
  private func known(_ h: Matrix) -> Matrix {
    Matrix(
      rows: size, columns: size,
      columnMajor: (0..<size).flatMap { h.elements[$0 * h.rows..<$0 * h.rows + size] })
  }

  /// w ← w − V Vᵀ w, and off `known`; Vᵀ w. Twice, which is enough (Parlett 1980, §6.9).
  private func orthogonalize(_ w: inout Matrix) -> Matrix {
    var coefficients = Matrix(rows: size, columns: w.columns)
    for _ in 0..<2 {
      w.removePart(inFirst: known.columns, of: known)
      coefficients.add(w.removePart(inFirst: size, of: basis))
    }
    return coefficients
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
      let before = column.sumOfSquares.squareRoot()
      for _ in 0..<2 where block.columns > 0 {
        let inside = column.removePart(inFirst: block.columns, of: block)
        for i in 0..<block.columns { triangle[i, j] += inside[i, 0] }
      }
      let rest = column.sumOfSquares.squareRoot()
      guard block.columns < width else { continue }
      if rest > rounding {
        triangle[block.columns, j] = rest
        column.scale(by: 1 / rest)
        // What little is left of a column holds more of its rounding.
        if rest < 0.1 * before { _ = orthogonalize(&column) }
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
        _ = orthogonalize(&column)
        column.removePart(inFirst: block.columns, of: block)
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
  /// self ← self − V Vᵀ self for the first columns V of a matrix, orthonormal; Vᵀ self.
  @discardableResult
  fileprivate mutating func removePart(inFirst count: Int, of v: Matrix) -> Matrix {
    var inside = Matrix(rows: count, columns: columns)
    guard count > 0 else { return inside }
    inside.setTransposedProduct(ofColumns: 0..<count, of: v, self)
    addProduct(ofColumns: 0..<count, of: v, inside, scale: -1)
    return inside
  }

  /// The matrix with more columns at its right.
  fileprivate func appending(_ other: Matrix) -> Matrix {
    Matrix(
      rows: rows, columns: columns + other.columns, columnMajor: elements + other.elements)
  }
}
