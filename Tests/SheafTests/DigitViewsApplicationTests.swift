import CellComplexes
import CellularSheaves
import Datasets
import Foundation
import LinearAlgebra
import SheafInference
import Testing

@testable import SheafApplications

/// Five views of digits. The numbers of splits were computed by numpy 2.4.6 and scikit-learn 1.9.1 (lbfgs, tolerance 10⁻⁷).
@Suite struct DigitViewsApplicationTests {
  @Test func rowsAreTheSplit() throws {
    let path = Reference.folder.appendingPathComponent("digits/digits-split.csv")
    let rows = try String(contentsOf: path, encoding: .utf8).split(whereSeparator: \.isNewline)
      .map { Int($0)! }
    #expect(Digits.rows == rows)
  }

  /// The split of a seed has the rows of the table that SplitMix64 shuffles there.
  @Test func splitsAreRowsOfTheTable() throws {
    let table = try String(
      contentsOf: Reference.folder.appendingPathComponent("digits/digits.csv"), encoding: .utf8
    ).split(whereSeparator: \.isNewline).map { $0.split(separator: ",").map { Double($0)! } }
    var generator = SplitMix64(seed: 1)
    let order = generator.shuffled(1797)
    let split = DigitSplit(seed: 1)
    var wrong = 0
    for j in 0..<1797 {
      let row = table[order[j]]
      let (images, classes, k) =
        j < 1297
        ? (split.training, split.trainingClasses, j) : (split.test, split.testClasses, j - 1297)
      if classes[k] != Int(row[64]) || images.column(k) != row[..<64].map({ $0 / 16 }) {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test func shufflesAreThoseOfTheReference() {
    var g = SplitMix64(seed: 0)
    #expect(
      [g.next(), g.next(), g.next()] == [
        0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f,
      ])
    g = SplitMix64(seed: 0)
    #expect(g.shuffled(10) == [6, 3, 2, 9, 8, 1, 4, 7, 0, 5])
  }

  /// One sample of 500 may change: 0.002.
  @Test func scoresOfSplitsAreThoseOfScikitLearn() throws {
    let scores = try DigitViewsApplication.scores(seeds: 2).scores
    let expected: [(String, [Double])] = [
      ("C of the stacking", [0.03, 0.03]),
      ("clean: majority vote", [0.9460]), ("swap: majority vote", [0.9320]),
      ("noise: majority vote", [0.9440]),
      ("clean: mean log-probability", [0.9580, 0.9360]),
      ("swap: mean log-probability", [0.9220, 0.9000]),
      ("noise: mean log-probability", [0.9340, 0.9180]),
      ("clean: median of logits", [0.9480]), ("swap: median of logits", [0.9400]),
      ("clean: least squares to a class vertex", [0.9440]),
      ("swap: least squares to a class vertex", [0.8820]),
      ("clean: class section of least energy", [0.9540]),
      ("clean: class section of least energy, joint covariance", [0.9640, 0.9540]),
      ("swap: class section of least energy, joint covariance", [0.7420, 0.7480]),
      ("clean: stacking", [0.9840, 0.9680]), ("swap: stacking", [0.8480, 0.8560]),
      ("noise: stacking", [0.8920, 0.9280]),
      ("clean: stacking trained with swapped views", [0.9840, 0.9640]),
      ("swap: stacking trained with swapped views", [0.9060, 0.8980]),
      ("swap: drop by edge sum, mean log-probability", [0.9580, 0.9240]),
      ("clean: repair by edge sum, stacking", [0.9840, 0.9680]),
      ("swap: repair by edge sum, stacking", [0.9820, 0.9640]),
      ("noise: repair by edge sum, stacking", [0.9800, 0.9620]),
      ("swap: repair by harmonic, stacking", [0.9820, 0.9620]),
      ("swap: repair by joint, stacking", [0.9800, 0.9600]),
      ("swap: repair by KL from the mean of the others, stacking", [0.9740, 0.9580]),
      ("swap: repair by distance to the mean of the others, stacking", [0.9740, 0.9600]),
      ("swap: repair of the corrupted view, stacking", [0.9820, 0.9640]),
      ("clean: one regression on all pixels", [0.9780]),
      ("clean: view 0 alone", [0.8180]), ("clean: view 4 alone", [0.9140]),
      ("swap, top-1: edge sum", [1.0]), ("noise, top-1: edge sum", [0.9960]),
      ("swap, top-1: harmonic", [0.9980]), ("noise, top-1: joint", [1.0]),
      ("swap, top-1: KL from the mean of the others", [0.9780]),
      ("swap, top-1: distance to the mean of the others", [0.9520]),
      ("clean, flagged: edge sum", [0.0160, 0.0200]),
      ("clean views with p < 0.01: harmonic", [0.0216]),
      ("disjoint, swap, top-1: edge sum", [0.5540]),
      ("disjoint, noise, top-1: joint", [0.9140]),
      ("disjoint, swap: repair by edge sum, stacking", [0.7960]),
      ("disjoint, swap: stacking", [0.7500]),
    ]
    for (name, values) in expected {
      let found = scores[name] ?? [.nan, .nan]
      for (a, b) in zip(found, values) {
        #expect(abs(a - b) < 0.00201, "\(name): \(a), expected \(b)")
      }
    }
    let areas: [(String, [Double])] = [
      ("swap, AUROC of samples: edge sum", [0.9989, 0.99969]),
      ("swap, AUROC of views: edge sum", [0.9035, 0.90380]),
      ("noise, AUROC of views: joint", [0.9718, 0.97128]),
      ("swap, AUROC of views: KL from the mean of the others", [0.9834]),
      ("disjoint, noise, AUROC of views: joint", [0.9371]),
    ]
    for (name, values) in areas {
      for (a, b) in zip(scores[name] ?? [.nan, .nan], values) {
        #expect(abs(a - b) < 2e-4, "\(name): \(a), expected \(b)")
      }
    }
  }

  /// The loss, written out anew, is stationary where the trainer ends, and larger around.
  @Test func softmaxRegressionIsTheMinimum() throws {
    for seed in UInt64(0)..<5 {
      var g = RandomGenerator(case: seed)
      let (inputs, classes, samples) = (g.integer(1...4), g.integer(2...4), g.integer(10...40))
      let c = g.uniform(0.1, 3)
      var x = Matrix(rows: inputs, columns: samples)
      for j in 0..<samples { for i in 0..<inputs { x[i, j] = g.normal() } }
      let labels = (0..<samples).map { _ in g.integer(0...classes - 1) }
      let model = try SoftmaxRegression(x, classes: labels, of: classes, c: c)
      #expect(model.gradient <= 1e-8, "seed \(seed)")
      func loss(_ w: Matrix) -> Double {
        var sum = 0.0
        for j in 0..<samples {
          let scores = (0..<classes).map { k in
            (0..<inputs).reduce(w[k, inputs]) { $0 + w[k, $1] * x[$1, j] }
          }
          sum -=
            c
            * Foundation.log(
              exp(scores[labels[j]]) / scores.reduce(0) { $0 + exp($1) })
        }
        for i in 0..<inputs { for k in 0..<classes { sum += w[k, i] * w[k, i] / 2 } }
        return sum
      }
      let w = model.parameters
      let least = loss(w)
      for i in 0..<w.rows {
        for j in 0..<w.columns {
          var (above, below) = (w, w)
          above[i, j] += 1e-4
          below[i, j] -= 1e-4
          let slope = (loss(above) - loss(below)) / 2e-4
          #expect(abs(slope) < 1e-5, "seed \(seed), parameter (\(i), \(j))")
          #expect(loss(above) >= least - 1e-10, "seed \(seed), parameter (\(i), \(j))")
        }
      }
    }
  }

  /// ẑ_v minimises Σ δᵀWδ over its edges: (Σ FᵀWF)⁻¹ Σ FᵀW(what the other end says), written out from the maps.
  @Test func repairIsTheMinimumOfTheEdgesAtTheView() throws {
    var g = RandomGenerator(case: 11)
    let n = 60
    let logits = (0..<5).map { _ -> Matrix in
      var l = Matrix(rows: 10, columns: n)
      for j in 0..<n { for i in 0..<10 { l[i, j] = g.normal() } }
      return Logits.centred(l)
    }
    let windows = DigitWindows.overlapping
    #expect(windows.pairs.count == 10)
    let views = try ViewSheaf(logits, pairs: windows.pairs)
    let sheaf = views.sheaf
    let z = views.coordinates(logits)
    let view = 2
    var (left, right) = (Matrix(rows: 9, columns: 9), Matrix(rows: 9, columns: n))
    for edge in sheaf.complex.cells(ofDimension: 1) {
      let ends = sheaf.complex.incidences(of: edge)
      guard let own = ends.first(where: { sheaf.complex.face($0) == view }) else { continue }
      let other = ends.first { sheaf.complex.face($0) != view }!
      let weight = sheaf.innerProduct(of: edge).dense(9)
      let f = sheaf.map(own).dense(9)
      left.add(f.transposed * weight * f)
      right.add(
        f.transposed * weight * sheaf.map(other).dense(9)
          * z.rows(sheaf.range(of: sheaf.complex.face(other))))
    }
    let expected = try left.solve(right)
    let repaired = try views.repaired(logits, [Int?](repeating: view, count: n))
    let found = views.coordinates(repaired).rows(sheaf.range(of: view))
    #expect(Matrix.difference(found, expected).maximumMagnitude < 1e-9)
    for v in 0..<5 where v != view { #expect(repaired[v] == logits[v]) }
    // Repaired logits are centred.
    for j in 0..<n { #expect(abs(repaired[view].column(j).reduce(0, +)) < 1e-10) }
  }

  /// Against the definitions, by counting pairs and by hand.
  @Test func rankingsAreCounts() {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let a = (0..<g.integer(1...20)).map { _ in Double(g.integer(0...5)) }
      let b = (0..<g.integer(1...20)).map { _ in Double(g.integer(1...6)) }
      var pairs = 0.0
      for x in a { for y in b { pairs += y > x ? 1 : y == x ? 0.5 : 0 } }
      let expected = pairs / Double(a.count * b.count)
      #expect(abs(Ranking.areaUnderROC(a, b) - expected) < 1e-12, "seed \(seed)")
    }
    #expect(Ranking.quantile([4, 1, 3, 2], 0.5) == 2.5)
    #expect(Ranking.quantile([4, 1, 3, 2], 1) == 4)
  }
}
