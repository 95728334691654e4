import CellularSheaves
import LinearAlgebra
import SheafCoarsening
import Testing

@testable import SheafApplications

/// Noise taken off digits. Scores without another origin are those of an independent program (NumPy 2.4, SciPy 1.17: dense bases and
/// covariances written from the formulas, L-BFGS-B for the sheaf fields) for the noise of seed 0.
@Suite struct DigitScalesApplicationTests {
  static let experiment = Result { try DigitScalesExperiment() }

  /// PSNR at σ = 2, 4, 6 and the errors of pixels, of means of 2 × 2 and of 4 × 4 at σ = 4. The program's fields end at another
  /// place of a flat valley: .01 dB.
  @Test func scoresAreThoseOfDenseAlgebra() throws {
    let expected: [(DigitScalesExperiment.Method, [Double], [Double])] = [
      (.noisy, [19.9313, 14.3274, 11.2675], [3.0743, 1.7699, 0.9723]),
      (.gaussianFilter, [20.1274, 15.4558, 13.2544], [2.6998, 1.6809, 0.8704]),
      (.haarBayes, [20.4195, 15.4531, 13.0779], [2.7006, 1.6589, 0.8260]),
      (.haarWiener, [20.3687, 15.9715, 14.1167], [2.5442, 1.5138, 0.7855]),
      (.haarWienerSpun, [20.8513, 16.4309, 14.5102], [2.4131, 1.4427, 0.7623]),
      (.sections(1), [21.0574, 16.6365, 14.7059], [2.3566, 1.3523, 0.7056]),
      (.sections(2), [21.2144, 16.8853, 14.9906], [2.2901, 1.3275, 0.6983]),
      (.sections(4), [21.5240, 17.3678, 15.4745], [2.1664, 1.2680, 0.6740]),
      (.sections(8), [21.6790, 17.5841, 15.6649], [2.1131, 1.2475, 0.6633]),
      (.covariance, [21.7584, 17.6483, 15.7076], [2.0975, 1.2419, 0.6600]),
      (.field, [21.2730, 16.9268, 14.9730], [2.2792, 1.3587, 0.7057]),
      (.mixture, [22.6092, 18.9876, 17.2013], [1.7978, 1.0338, 0.5741]),
      (.fieldMixture, [22.2791, 18.4480, 16.6399], [1.9130, 1.1123, 0.6094]),
    ]
    let sheet = try Self.experiment.get().scores(seeds: 1)
    for (method, levels, errors) in expected {
      let isField = method == .field || method == .fieldMixture
      for (sigma, psnr) in zip([2, 4, 6], levels) {
        let found = sheet.mean("σ = \(sigma): \(method.name)")
        #expect(
          abs(found - psnr) < (isField ? 1e-2 : 1e-4), "\(method.name), σ = \(sigma): \(found)")
      }
      for (size, error) in zip([8, 4, 2], errors) {
        let found = sheet.mean("σ = 4, \(size) × \(size): \(method.name)")
        #expect(
          abs(found - error) < (isField ? 3e-3 : 1e-4), "\(method.name), \(size): \(found)")
      }
    }
  }

  /// Level by level ±1/side on the quarters of a block: columns, rows, diagonals.
  @Test func waveletsAreHaars() throws {
    let haar = try Self.experiment.get().haar
    #expect(haar.groups.map(\.count) == [16, 16, 16, 4, 4, 4, 1, 1, 1])
    let signs: [(Int, Int) -> Double] = [
      { _, j in j == 0 ? 1 : -1 }, { i, _ in i == 0 ? 1 : -1 }, { i, j in i == j ? 1 : -1 },
    ]
    for (k, group) in haar.groups.enumerated() {
      let side = 2 << (k / 3)
      for (n, column) in group.enumerated() {
        let (row, corner) = (n / (8 / side) * side, n % (8 / side) * side)
        var product = 0.0
        for i in 0..<side {
          for j in 0..<side {
            let sign = signs[k % 3](2 * i / side, 2 * j / side)
            product += sign / Double(side) * haar.vectors[8 * (row + i) + corner + j, column]
          }
        }
        #expect(abs(abs(product) - 1) < 1e-12, "group \(k), element \(n): \(product)")
      }
    }
    for p in 0..<64 { #expect(abs(abs(haar.vectors[p, 0]) - 1 / 8) < 1e-12) }
  }

  /// Bases are orthonormal, and stalks as wide as an image have its principal components.
  @Test func learnedSectionsAreOrthonormal() throws {
    let experiment = try Self.experiment.get()
    let (tree, covariance) = (experiment.haar.hierarchy, experiment.moments.covariance)
    for k in [1, 3, 8, 64] {
      let basis = try LearnedSections(covariance, tree, stalk: k).vectors
      let gram = Moments.product(basis, basis, .left)
      #expect(
        Matrix.difference(gram, .identity(64)).elements.allSatisfy { abs($0) < 1e-12 },
        "stalks of dimension \(k)")
      guard k == 64 else { continue }
      // The last part's wavelets come first.
      let diagonal = Moments.product(basis, covariance * basis, .left)
      let values = try SymmetricEigendecomposition(covariance).values
      for i in 0..<64 { #expect(abs(diagonal[i, i] - values[63 - i]) < 1e-9 * values[63]) }
    }
  }

  /// The energy of the field is that of a sheaf, and its maps are where the likelihood is stationary.
  @Test func fieldsAreSheavesOfMaximumLikelihood() throws {
    let experiment = try Self.experiment.get()
    let field = experiment.field
    #expect(field.edges.count == 210)
    let laplacian = SheafLaplacian(try field.sheaf(), degree: 0).laplacian
    var unit = Matrix(rows: 64, columns: 64)
    laplacian.apply(.identity(64), into: &unit)
    var q = field.precision
    for i in 0..<64 { q[i, i] -= 1e-6 }
    #expect(Matrix.difference(unit, q).elements.allSatisfy { abs($0) < 1e-12 })
    // tr QS = the dimension, where scaling all maps gains nothing.
    var s = experiment.moments.covariance
    for i in 0..<64 { s[i, i] += 0.5 }
    #expect(abs(dot(q, s) - 64) < 0.01)
  }
}
