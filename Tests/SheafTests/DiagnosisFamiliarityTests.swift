import Distributions
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import Testing

/// Unfamiliar inputs: distances against dense formulas, p-values on inputs like those of training, planted strangers, and files.
@Suite struct DiagnosisFamiliarityTests {
  @Test func mahalanobisDistancesAreThoseOfTheInverse() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: seed)
      let (d, n) = (g.integer(1...6), 40)
      var x = g.normalMatrix(rows: d, columns: n)
      // Far from the origin nothing is lost.
      let offset = seed % 2 == 0 ? 0 : 1e6
      for j in 0..<n { for i in 0..<d { x[i, j] += offset } }
      let classes = (0..<n).map { _ in g.integer(0...2) }
      for shrinkage in [ClassGaussians.Shrinkage.ledoitWolf, .ridge(0.01)] {
        // Class 3 has no samples.
        let gaussians = try ClassGaussians(x, classes: classes, count: 4, shrinkage: shrinkage)
        let found = gaussians.squaredDistances(x)
        let s = gaussians.covariance
        for j in 0..<5 {
          for c in 0..<3 {
            let members = (0..<n).filter { classes[$0] == c }
            var r = Matrix(rows: d, columns: 1)
            for i in 0..<d {
              r[i, 0] =
                x[i, j] - members.reduce(0) { $0 + x[i, $1] } / Double(members.count)
            }
            let expected = dot(r, try s.solve(r))
            #expect(abs(found[c, j] - expected) < 1e-6 * max(1, expected), "seed \(seed)")
          }
          #expect(found[3, j] == .infinity)
        }
        // The covariance about the class means, and what is added to it.
        var own = Matrix(rows: d, columns: d)
        for j in 0..<n {
          let members = (0..<n).filter { classes[$0] == classes[j] }
          var r = Matrix(rows: d, columns: 1)
          for i in 0..<d {
            r[i, 0] = x[i, j] - members.reduce(0) { $0 + x[i, $1] } / Double(members.count)
          }
          own.addProduct(r, r, transposing: .right, scale: 1 / Double(n))
        }
        let mean = (0..<d).reduce(0) { $0 + own[$1, $1] } / Double(d)
        var left = s
        if case .ridge(let share) = shrinkage {
          left.add(own, scale: -1)
          for i in 0..<d { left[i, i] -= share * mean }
          #expect(left.maximumMagnitude < 1e-6 * mean, "seed \(seed)")
        } else if d > 1 {
          // (1 − s)S + sμI: off the diagonal a multiple of S, of one trace.
          let share = 1 - s[0, 1] / own[0, 1]
          #expect(share >= -1e-9 && share <= 1, "seed \(seed): \(share)")
          for i in 0..<d {
            for k in 0..<d {
              let expected = (1 - share) * own[i, k] + (i == k ? max(share, 1e-6) * mean : 0)
              #expect(abs(s[i, k] - expected) < 1e-5 * mean, "seed \(seed)")
            }
          }
        }
      }
    }
  }

  private static func classifier(
    _ widths: [Int], _ g: inout RandomGenerator
  ) throws -> Network { try Network(widths: widths, outputActivation: .softmax, using: &g) }

  /// Inputs drawn as the training inputs were have p at most u with probability at most u, and about u; so at every stalk.
  @Test func pValuesAreUniformForFamiliarInputs() throws {
    struct Case: Sendable {
      let seed: UInt64
      var values: [[Double]] = []
    }
    var cases = (0..<100).map { Case(seed: 400 + UInt64($0)) }
    forEachInParallel(&cases, threads: 2) { run in
      var g = RandomGenerator(case: run.seed)
      // 60 coordinates, so that directions count as well.
      guard let network = try? Self.classifier([60, 12, 8, 3], &g),
        let model = try? FamiliarityModel(
          network, training: g.normalMatrix(rows: 60, columns: 250), seed: run.seed),
        let samples = try? NetworkSamples(network, input: g.normalMatrix(rows: 60, columns: 20))
      else { return }
      let found = Familiarity(samples, model)
      // One of each calibration, spread over its step.
      let u = g.uniform()
      run.values = ([found.pValues] + found.stalkPValues).map { list in
        [list[0] - u / Double(found.calibrationCount + 1)]
      }
    }
    for k in 0..<4 {
      let values = cases.map { $0.values[k][0] }
      let p = KolmogorovSmirnov.uniformPValue(values)
      #expect(p > 0.001, "stalk \(k): \(p)")
    }
  }

  /// Inputs that are larger, of other directions or near no training sample are found; others are not.
  @Test func strangersAreFound() throws {
    var (found, wrong) = (0, 0)
    for seed in 0..<50 as Range<UInt64> {
      var g = RandomGenerator(case: 500 + seed)
      let network = try Self.classifier([60, 12, 8, 3], &g)
      // Training inputs in a plane of 5 dimensions, with a little noise.
      let basis = g.normalMatrix(rows: 60, columns: 5)
      func usual(_ n: Int) -> Matrix {
        var x = basis * g.normalMatrix(rows: 5, columns: n)
        x.add(g.normalMatrix(rows: 60, columns: n, deviation: 0.1))
        return x
      }
      let model = try FamiliarityModel(network, training: usual(600), seed: seed)
      var x = usual(100)
      // Five strangers: off the plane by as much as the others are in it.
      for j in 0..<5 {
        let off = g.normals(60)
        for i in 0..<60 { x[i, j] = 2 * off[i] }
      }
      let result = Familiarity(try NetworkSamples(network, input: x), model)
      found += result.unfamiliar.count { $0 < 5 }
      wrong += result.unfamiliar.count { $0 >= 5 }
      for j in 0..<5 { #expect(result.firstStalks[j] == 0, "seed \(seed)") }
    }
    #expect(found >= 245, "\(found) of 250")
    // At most a tenth on average.
    #expect(Double(wrong) < 0.15 * Double(found), "\(wrong) beside \(found)")
  }

  /// One absurd input among many is found, though no share of the samples held out could say how rare it is.
  @Test func oneStrangerIsFound() throws {
    var alone = 0
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 560 + seed)
      let network = try Self.classifier([60, 12, 3], &g)
      let model = try FamiliarityModel(network, training: g.normalMatrix(rows: 60, columns: 150))
      var x = g.normalMatrix(rows: 60, columns: 300)
      for i in 0..<60 { x[i, 7] = 100 }
      let found = Familiarity(try NetworkSamples(network, input: x), model)
      #expect(found.unfamiliar.first == 7, "seed \(seed)")
      alone += found.unfamiliar.count - 1
      #expect(found.pValues[7] == 1 / Double(found.calibrationCount + 1))
      #expect(zip(found.tailPValues, found.pValues).allSatisfy { $0 <= $1 })
    }
    #expect(alone <= 6, "\(alone) others")
  }

  /// A model without samples is the same from its arrays; of another network they are refused, and so are damaged ones.
  @Test func modelsComeBackFromArrays() throws {
    var g = RandomGenerator(seed: 9)
    let network = try Self.classifier([6, 10, 3], &g)
    let model = try FamiliarityModel(
      network, training: g.normalMatrix(rows: 6, columns: 200), hasNeighbours: false)
    let arrays = model.arrays(of: network)
    let samples = try NetworkSamples(network, input: g.normalMatrix(rows: 6, columns: 30))
    let (a, b) = (
      Familiarity(samples, model), Familiarity(samples, try FamiliarityModel(arrays, of: network))
    )
    #expect(a.scores == b.scores && a.pValues == b.pValues && a.stalkPValues == b.stalkPValues)
    let other = try Self.classifier([6, 11, 3], &g)
    #expect(throws: FamiliarityError.network(found: [6, 10, 10, 3], expected: [6, 11, 11, 3])) {
      try FamiliarityModel(arrays, of: other)
    }
    for name in arrays.keys.sorted() where !name.hasPrefix("means") {
      var damaged = arrays
      damaged[name] = nil
      #expect(throws: FamiliarityError.self, "\(name)") {
        try FamiliarityModel(damaged, of: network)
      }
    }
    #expect(throws: FamiliarityError.few(19)) {
      try FamiliarityModel(network, training: g.normalMatrix(rows: 6, columns: 19))
    }
    #expect(throws: FamiliarityError.alike) {
      try FamiliarityModel(
        network, training: Matrix(rows: 6, columns: 50, repeating: 1))
    }
  }

  /// Large stalks are sketched; few samples for many dimensions are said to be.
  @Test func largeInputsAreSketched() throws {
    var g = RandomGenerator(seed: 10)
    let network = try Self.classifier([700, 6, 3], &g)
    let model = try FamiliarityModel(network, training: g.normalMatrix(rows: 700, columns: 100))
    var x = g.normalMatrix(rows: 700, columns: 10)
    for i in 0..<700 { x[i, 0] *= 3 }
    let found = Familiarity(try NetworkSamples(network, input: x), model)
    #expect(found.isShort)
    #expect(found.pValues[0] == 1 / Double(found.calibrationCount + 1))
    #expect(found.scores[0] == found.scores.max())
  }
}
