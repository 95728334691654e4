import CellComplexes
import CellularSheaves
import LinearAlgebra

/// Ways to make one answer of the logits of all views, fitted to cross-validated logits of training samples.
struct ViewFusion {
  let stacking: SoftmaxRegression
  /// C of the stacking.
  let stackingC: Double
  /// Stacking that was also shown samples with one view from another image.
  let robustStacking: SoftmaxRegression
  private let sections: ClassSections

  /// - Parameters:
  ///   - logits: of each view, (10, samples), cross-validated.
  ///   - seed: of the swapped views that the robust stacking is shown, from SplitMix64(2000 + seed).
  init(_ logits: [Matrix], _ classes: [Int], seed: Int) throws {
    let all = Self.flat(logits)
    var best = (c: 0.0, accuracy: -1.0)
    // Of equally good ones the smallest.
    for c in [0.003, 0.03, 0.3] {
      var sum = 0.0
      for fold in 0..<3 {
        let (held, rest) = Folds.split(classes.count, fold, of: 3)
        let model = try SoftmaxRegression(
          all.columns(rest), classes: rest.map { classes[$0] }, c: c)
        sum += Ranking.agreement(
          model(all.columns(held)).largestRows, held.map { classes[$0] })
      }
      if sum / 3 > best.accuracy { best = (c, sum / 3) }
    }
    stackingC = best.c
    stacking = try SoftmaxRegression(all, classes: classes, c: best.c)
    var generator = SplitMix64(seed: UInt64(2000 + seed))
    var swapped = logits
    for i in classes.indices {
      let view = generator.below(logits.count)
      let donor = generator.below(classes.count)
      swapped[view].scatterColumns([i], from: logits[view].columns([donor]))
    }
    let both = Matrix(
      rows: all.rows, columns: 2 * all.columns,
      columnMajor: all.elements + Self.flat(swapped).elements)
    robustStacking = try SoftmaxRegression(both, classes: classes + classes, c: best.c)
    sections = try ClassSections(logits, classes)
  }

  /// Logits of all views, one below the other.
  static func flat(_ logits: [Matrix]) -> Matrix {
    Matrix(stacking: logits, columns: logits[0].columns)
  }

  /// The mean of the logits of views, (10, samples); of one view of a sample not, where that is told.
  static func mean(_ logits: [Matrix], without views: [Int?]? = nil) -> Matrix {
    var sum = Matrix(rows: logits[0].rows, columns: logits[0].columns)
    for (v, l) in logits.enumerated() {
      sum.addScaledColumns(l, by: (0..<l.columns).map { views?[$0] == v ? 0 : 1 })
    }
    return sum
  }

  /// The classes by each rule.
  func classes(_ logits: [Matrix]) throws -> [(rule: String, classes: [Int])] {
    let mean = Self.mean(logits)
    return [
      ("majority vote", Self.vote(logits, mean)),
      ("mean log-probability", mean.largestRows),
      ("median of logits", Self.median(logits).largestRows),
      ("stacking", stacking(Self.flat(logits)).largestRows),
      ("stacking trained with swapped views", robustStacking(Self.flat(logits)).largestRows),
      ("least squares to a class vertex", try sections.leastSquares(logits).largestRows),
      ("class section of least energy", sections.energies(logits, isJoint: false).largestRows),
      (
        "class section of least energy, joint covariance",
        sections.energies(logits, isJoint: true).largestRows
      ),
    ]
  }

  /// The class that most views name; of several the one with the largest mean.
  private static func vote(_ logits: [Matrix], _ sum: Matrix) -> [Int] {
    var votes = sum
    votes.scale(by: 1e-3 / Double(logits.count))
    for l in logits { for (j, i) in l.largestRows.enumerated() { votes[i, j] += 1 } }
    return votes.largestRows
  }

  private static func median(_ logits: [Matrix]) -> Matrix {
    var result = logits[0]
    for j in 0..<result.columns {
      for i in 0..<result.rows {
        result[i, j] = logits.map { $0[i, j] }.sorted()[logits.count / 2]
      }
    }
    return result
  }
}

/// Which samples a fold holds out: those whose place is it, modulo the number of folds.
enum Folds {
  static func split(_ n: Int, _ fold: Int, of count: Int) -> (held: [Int], rest: [Int]) {
    ((0..<n).filter { $0 % count == fold }, (0..<n).filter { $0 % count != fold })
  }
}

/// The sheaf of the views with a vertex for the class: what each class looks like to a view is a map, and an answer is found
/// by least squares. It does worse than the mean: what varies within a class is not Gaussian noise.
struct ClassSections {
  /// The mean logits of each class, (9, 10), by view.
  private let means: [Matrix]
  private let weights: [Matrix]
  private let jointWeight: Matrix
  private let sheaf: CellularSheaf

  init(_ logits: [Matrix], _ classes: [Int]) throws {
    let z = logits.map { Moments.product(Logits.helmert, $0, .left) }
    var indicator = Matrix(rows: 10, columns: classes.count)
    for (j, i) in classes.enumerated() { indicator[i, j] = 1 }
    let counts = (0..<10).map { i in Double(classes.count { $0 == i }) }
    let means = z.map { z -> Matrix in
      var m = Moments.product(z, indicator, .right)
      m.scaleColumns(by: counts.map { 1 / $0 })
      return m
    }
    let within = zip(z, means).map { Matrix.difference($0, $1 * indicator) }
    let weights = try within.map { try Moments.precision($0) }
    (self.means, self.weights) = (means, weights)
    jointWeight = try Moments.precision(ViewFusion.flat(within))
    // Vertices: the class (stalk ℝ¹⁰), a tenth for each class (ℝ¹⁰), the views (ℝ⁹).
    let n = logits.count
    let star = (2..<n + 2).map { (0, Optional($0)) }
    let graph = try CellComplex.graph(vertices: n + 2, edges: [(0, 1)] + star)
    let maps: [RestrictionMap] =
      [.identity, .identity] + means.flatMap { [.matrix($0), .identity] }
    sheaf = try CellularSheaf(
      graph,
      stalks: [10, 10] + [Int](repeating: 9, count: n) + [10]
        + [Int](repeating: 9, count: n),
      weights: [InnerProduct](repeating: .standard, count: n + 2) + [.scalar(10)]
        + weights.map { .matrix($0) }
    ) { maps[$0] }
  }

  /// The harmonic extension of logits to the class vertex, (10, samples).
  func leastSquares(_ logits: [Matrix]) throws -> Matrix {
    let n = logits[0].columns
    let prior = Matrix(rows: 10, columns: n, repeating: 0.1)
    let given = Matrix(
      stacking: [prior] + logits.map { Moments.product(Logits.helmert, $0, .left) }, columns: n)
    return try sheaf.extended(given, from: Array(1..<logits.count + 2)).rows(0..<10)
  }

  /// Minus the energy of the logits with each class at the class vertex, (10, samples).
  func energies(_ logits: [Matrix], isJoint: Bool) -> Matrix {
    let z = logits.map { Moments.product(Logits.helmert, $0, .left) }
    var result = Matrix(rows: 10, columns: logits[0].columns)
    for c in 0..<10 {
      let rests = zip(z, means).map { z, mean in
        var rest = z
        for j in 0..<z.columns { for i in 0..<z.rows { rest[i, j] -= mean[i, c] } }
        return rest
      }
      let lists =
        isJoint
        ? [Moments.energies(ViewFusion.flat(rests), jointWeight)]
        : zip(rests, weights).map { Moments.energies($0, $1) }
      for list in lists { for (j, e) in list.enumerated() { result[c, j] -= e } }
    }
    return result
  }
}
