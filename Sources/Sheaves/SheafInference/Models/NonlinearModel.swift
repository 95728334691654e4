import CellComplexes
import CellularSheaves
import LinearAlgebra

/// The model of a sheaf of differentiable maps on the minimal elements of its poset.
///
/// In the agreement model an element with a reading that has smaller ones is a variable of its own, compared with the
/// image of each minimal element below it in twice the standard inner product, as `LinearModel` does with edges; of an
/// element without reading two images are compared with each other, more with a value that is a variable.
struct NonlinearModel: InferenceModel {
  let sheaf: NonlinearSheaf
  let assignment: Assignment
  private(set) var layout = ModelLayout()
  private var terms: [Term] = []
  /// Elements on which images of several minimal ones meet, for sections.
  private var meetings: [Int] = []

  /// A block of residuals.
  private enum Term {
    /// T (f(x) − y).
    case reading(cell: Int, way: NonlinearSheaf.Way, Whitening)
    /// s (f(x) − x_τ).
    case image(cell: Int, way: NonlinearSheaf.Way, Double)
    /// f(x) − g(x).
    case pair(cell: Int, NonlinearSheaf.Way, NonlinearSheaf.Way)
  }

  init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, _ model: FusionModel
  ) throws(InferenceError) {
    let poset = sheaf.poset
    try assignment.check(
      cells: poset.count, name: { poset.names[$0] }, stalk: { sheaf.stalks[$0] })
    for x in 0..<poset.count {
      let faces = zip(poset.below[x], sheaf.maps[x])
        .filter { ($0.1 as? AffineMap)?.isIdentity ?? false }.map(\.0)
      try assignment.checkUnits(of: [x] + faces) { poset.names[$0] }
    }
    (self.sheaf, self.assignment) = (sheaf, assignment)
    let minimal = (0..<poset.count).filter { poset.below[$0].isEmpty }
    for x in minimal { layout.addVariable(x, dimension: sheaf.stalks[x]) }
    let isMinimal = Set(minimal)
    let upper = poset.linearExtension.filter { !isMinimal.contains($0) }
    if model == .agreement {
      for x in upper where assignment.readings[x] != nil || sheaf.ways[x].count > 2 {
        layout.addVariable(x, dimension: sheaf.stalks[x])
      }
    }
    for x in assignment.cells {
      let n = sheaf.stalks[x]
      let whitening = assignment.readings[x]!.covariance.whitening(n)
      let way =
        layout.range(of: x) != nil
        ? NonlinearSheaf.Way(source: x, maps: []) : sheaf.ways[x][0]
      terms.append(.reading(cell: x, way: way, whitening))
      layout.addBlock(.reading, x, way.source, rows: n)
    }
    for x in upper {
      let ways = sheaf.ways[x]
      switch model {
      case .section: if ways.count > 1 { meetings.append(x) }
      case .agreement:
        if layout.range(of: x) != nil {
          for way in ways {
            terms.append(.image(cell: x, way: way, 2.0.squareRoot()))
            layout.addBlock(.image, x, way.source, x, rows: sheaf.stalks[x])
          }
        } else if ways.count == 2 {
          terms.append(.pair(cell: x, ways[0], ways[1]))
          layout.addBlock(
            .meeting, x, ways[0].source, ways[1].source, rows: sheaf.stalks[x])
        }
      }
    }
  }

  var isAffine: Bool {
    sheaf.isAffine && sheaf.periods.allSatisfy { $0.allSatisfy { $0 == nil } }
  }

  var cellCount: Int { sheaf.stalks.count }

  func name(_ cell: Int) -> String { sheaf.poset.names[cell] }

  func reading(of cell: Int) -> [Double] { assignment.readings[cell]!.values }

  func whitening(ofReading cell: Int) -> Whitening {
    assignment.readings[cell]!.covariance.whitening(sheaf.stalks[cell])
  }

  private func part(_ cell: Int, _ x: [Double]) -> [Double] { Array(x[layout.range(of: cell)!]) }

  /// a − b on a stalk, angles on their circles.
  private func difference(_ a: [Double], _ b: [Double], on cell: Int) -> [Double] {
    zip(a, b).enumerated().map { i, pair in
      Angle.difference(pair.0, pair.1, period: sheaf.periods[cell][i])
    }
  }

  private func checked(
    _ list: [Double], _ way: NonlinearSheaf.Way, _ cell: Int, _ x: [Double]
  ) throws(InferenceError) -> [Double] {
    if let bad = list.first(where: { !$0.isFinite }) {
      throw .map(
        from: name(way.source), to: name(cell), at: part(way.source, x), found: "\(bad)")
    }
    return list
  }

  private func image(
    _ way: NonlinearSheaf.Way, _ cell: Int, _ x: [Double]
  ) throws(InferenceError) -> [Double] {
    try checked(sheaf.value(along: way, of: part(way.source, x)), way, cell, x)
  }

  private func derivative(
    _ way: NonlinearSheaf.Way, _ cell: Int, _ x: [Double]
  ) throws(InferenceError) -> (start: Int, matrix: Matrix) {
    let matrix = sheaf.linearized(along: way, at: part(way.source, x)).jacobian
    _ = try checked(matrix.elements, way, cell, x)
    return (layout.range(of: way.source)!.lowerBound, matrix)
  }

  private func value(of term: Term, at x: [Double]) throws(InferenceError) -> [Double] {
    switch term {
    case .reading(let cell, let way, let whitening):
      return whitening(
        difference(try image(way, cell, x), assignment.readings[cell]!.values, on: cell))
    case .image(let cell, let way, let s):
      return difference(try image(way, cell, x), part(cell, x), on: cell).map { s * $0 }
    case .pair(let cell, let one, let other):
      return difference(try image(one, cell, x), try image(other, cell, x), on: cell)
    }
  }

  func residual(at x: [Double]) throws(InferenceError) -> [Double] {
    var result: [Double] = []
    for term in terms { result += try value(of: term, at: x) }
    return result
  }

  func linearized(at x: [Double]) throws(InferenceError) -> Linearization {
    var rows = ResidualBuilder(unknowns: layout.dimension)
    for term in terms {
      rows.residual += try value(of: term, at: x)
      switch term {
      case .reading(let cell, let way, let whitening):
        let d = try derivative(way, cell, x)
        rows.append([(d.start, whitening(d.matrix))], rows: sheaf.stalks[cell])
      case .image(let cell, let way, let s):
        var d = try derivative(way, cell, x)
        d.matrix.scale(by: s)
        let n = sheaf.stalks[cell]
        rows.append(
          [d, (layout.range(of: cell)!.lowerBound, .diagonal([Double](repeating: -s, count: n)))],
          rows: n)
      case .pair(let cell, let one, let other):
        var second = try derivative(other, cell, x)
        second.matrix.scale(by: -1)
        rows.append([try derivative(one, cell, x), second], rows: sheaf.stalks[cell])
      }
    }
    return rows.linearization
  }

  func constraints(at x: [Double]) throws(InferenceError) -> Linearization {
    var rows = ResidualBuilder(unknowns: layout.dimension)
    for cell in meetings {
      let ways = sheaf.ways[cell]
      let first = (value: try image(ways[0], cell, x), slope: try derivative(ways[0], cell, x))
      for way in ways.dropFirst() {
        rows.residual += difference(try image(way, cell, x), first.value, on: cell)
        var minus = first.slope
        minus.matrix.scale(by: -1)
        rows.append([try derivative(way, cell, x), minus], rows: sheaf.stalks[cell])
      }
    }
    return rows.linearization
  }

  func value(of cell: Int, at x: [Double]) -> (value: [Double], transposed: SparseMatrix)? {
    let n = sheaf.stalks[cell]
    let ways =
      layout.range(of: cell) != nil
      ? [NonlinearSheaf.Way(source: cell, maps: [])] : sheaf.ways[cell]
    var rows = ResidualBuilder(unknowns: layout.dimension)
    var blocks: [(start: Int, matrix: Matrix)] = []
    var sum = [Double](repeating: 0, count: n)
    var first: [Double]?
    for way in ways {
      let point = part(way.source, x)
      let image = sheaf.linearized(along: way, at: point)
      // The mean of the images, on circles about the first.
      let base = first ?? image.value
      first = base
      for (i, d) in difference(image.value, base, on: cell).enumerated() {
        sum[i] += d / Double(ways.count)
      }
      var slope = image.jacobian
      slope.scale(by: 1 / Double(ways.count))
      blocks.append((layout.range(of: way.source)!.lowerBound, slope))
    }
    rows.append(blocks, rows: n)
    return (zip(first!, sum).map { $0 + $1 }, rows.linearization.transposed)
  }

  /// A minimal element begins at its reading, else at the mean of the landmarks of maps from it that have as many
  /// coordinates (a little beside it, where no distance is singular), else at 0; another variable at its reading, else at the
  /// image of the first minimal element below it. The spread is the larger of 1, the size of readings above and of landmarks.
  func start() -> (point: [Double], spread: [Double]) {
    var point = [Double](repeating: 0, count: layout.dimension)
    var spread = [Double](repeating: 1, count: layout.dimension)
    for cell in layout.variables where sheaf.poset.below[cell].isEmpty {
      let range = layout.range(of: cell)!
      let (landmarks, size) = surroundings(of: cell, range.count)
      for i in range { spread[i] = size }
      if let values = assignment.readings[cell]?.values {
        // On a landmark derivatives may not be finite.
        let shift = landmarks.contains(values) ? 1e-3 * size : 0
        for (i, y) in values.enumerated() {
          point[range.lowerBound + i] = y + shift * Double(i + 1)
        }
      } else if !landmarks.isEmpty {
        for i in 0..<range.count {
          point[range.lowerBound + i] =
            landmarks.reduce(0) { $0 + $1[i] } / Double(landmarks.count)
            + 1e-3 * size * Double(i + 1)
        }
      }
    }
    for cell in layout.variables where !sheaf.poset.below[cell].isEmpty {
      let range = layout.range(of: cell)!
      let way = sheaf.ways[cell][0]
      let image = sheaf.value(along: way, of: part(way.source, point))
      let value = assignment.readings[cell]?.values ?? image
      point.replaceSubrange(range, with: value.map { $0.isFinite ? $0 : 0 })
      // What has a reading stays near it.
      if assignment.readings[cell] != nil { for i in range { spread[i] = 0 } }
    }
    return (point, spread)
  }

  /// The landmarks of maps from a minimal element, and the size of what is read above it.
  private func surroundings(of cell: Int, _ dimension: Int) -> (landmarks: [[Double]], size: Double)
  {
    var (landmarks, size) = ([[Double]](), 1.0)
    for above in 0..<sheaf.poset.count {
      for way in sheaf.ways[above] where way.source == cell {
        let values = assignment.readings[above]?.values ?? []
        for (i, y) in values.enumerated() where sheaf.periods[above][i] == nil {
          size = max(size, abs(y))
        }
        if let mark = way.maps.first?.landmark, mark.count == dimension {
          landmarks.append(mark)
          size = max(size, mark.reduce(0) { max($0, abs($1)) })
        }
      }
    }
    return (landmarks, size)
  }
}

extension AffineMap {
  /// Whether it is the identity.
  var isIdentity: Bool { matrix == .identity && offset.allSatisfy { $0 == 0 } }
}
