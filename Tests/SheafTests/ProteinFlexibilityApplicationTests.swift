import CellComplexes
import CellularSheaves
import Datasets
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafPersistence
import Testing

@testable import SheafApplications

/// Ubiquitin. Numbers without another origin were computed by an independent program with numpy 2.4 and scipy 1.17: dense
/// Laplacians and pseudo-inverses written from the formulas, and leave-one-out in closed form, to the digits compared.
@Suite struct ProteinFlexibilityApplicationTests {
  static let points = Ubiquitin.atoms
  static let factors = Ubiquitin.temperatureFactors

  /// The source holds the table.
  @Test func atomsAreTheTable() throws {
    let rows = try String(
      contentsOf: Reference.folder.appendingPathComponent("sheaves/ubiquitin.csv"), encoding: .utf8
    ).split(separator: "\n").dropFirst().map { $0.split(separator: ",").map { Double($0)! } }
    #expect(rows.count == 76 && Self.points.columns == 76 && Self.factors.count == 76)
    for (j, row) in rows.enumerated() {
      #expect(row[1...] == (Self.points.column(j) + [Self.factors[j]])[...])
    }
  }

  /// (δᵀδ)_jk = −q_j q_k/r_jk², so that the spectrum knows |q| only; and vertices being there from 0 on,
  /// persistence changes nothing in degree 0.
  @Test(arguments: [(5, 10.0, 8.0), (40, 13.0, 6.0), (75, 16.0, 13.0)])
  func laplaciansAreOfCharges(residue: Int, radius: Double, cutoff: Double) throws {
    let spectra = NeighbourhoodSpectra(points: Self.points)
    let list = spectra.neighbours(of: residue, within: radius)
    var values: [[Double]] = []
    for charge in [0.0, 1, -1, 2] {
      let filtration = try spectra.filtration(
        around: residue, radius: radius, cutoff: cutoff, charge: charge, dimension: 1)
      let laplacian = SheafLaplacian(filtration.sheaf, degree: 0)
      let dense = laplacian.laplacian.matrix.dense
      for (j, a) in list.enumerated() {
        for (k, b) in list.enumerated() where j != k {
          let r = (0..<3).reduce(0) {
            let d = Self.points[$1, a] - Self.points[$1, b]
            return $0 + d * d
          }.squareRoot()
          let q = (a == residue ? charge : 1) * (b == residue ? charge : 1)
          #expect(abs(dense[j, k] - (r <= cutoff ? -q / (r * r) : 0)) < 1e-13)
        }
      }
      let spectrum = try LaplacianSpectrum(all: laplacian).values
      let persistent = try PersistentLaplacian(filtration, degree: 0, from: 4, to: cutoff)
        .spectrum().values
      for (x, y) in zip(spectrum, persistent) { #expect(abs(x - y) < 1e-12) }
      #expect(persistent.count == spectrum.count)
      values.append(spectrum)
    }
    for (x, y) in zip(values[1], values[2]) { #expect(abs(x - y) < 1e-12) }
  }

  /// The mean of the positive eigenvalues is trace over rank: Σ 1/r² over ordered pairs by the rank.
  @Test func meanEigenvaluesAreWeightedContacts() throws {
    let spectra = NeighbourhoodSpectra(points: Self.points)
    let features = try spectra.vertexFeatures(radius: 16, cutoff: 13, charge: 1)
    for i in stride(from: 0, to: 76, by: 5) {
      let list = spectra.neighbours(of: i, within: 16)
      var trace = 0.0
      for a in list {
        for b in list where a != b {
          let r = (0..<3).reduce(0) {
            let d = Self.points[$1, a] - Self.points[$1, b]
            return $0 + d * d
          }
          if r <= 169 { trace += 1 / r }
        }
      }
      let mean = trace / (Double(list.count) - features[i, 0])
      #expect(abs(features[i, 3] - mean) < 1e-12 * mean, "residue \(i + 1)")
    }
  }

  /// Leaving a residue out and fitting the others, again and again, is the closed form.
  @Test func leaveOneOutIsLeavingOut() {
    let y = Self.factors
    let features = [
      ElasticMobility.squaredDistances(Self.points),
      ElasticMobility.contacts(Self.points, within: 10),
    ]
    let errors = ForwardRegression.fitted(features, y)
    for held in stride(from: 0, to: 76, by: 15) {
      let others = (0..<76).filter { $0 != held }
      let x = Matrix(others.map { [1, features[0][$0] / 100, features[1][$0]] })
      var (gram, right) = (Moments.product(x, x, .left), Matrix(rows: 3, columns: 1))
      right.setProduct(x, Matrix(column: others.map { y[$0] }), transposing: .left)
      let weights = known { try Moments.inverse(gram) } * right
      gram = Matrix([[1, features[0][held] / 100, features[1][held]]])
      #expect(abs(y[held] - (gram * weights)[0, 0] - errors[held]) < 1e-9, "residue \(held + 1)")
    }
  }

  @Test func correlationsAreThoseOfTheReference() throws {
    let study = try ProteinFlexibility()
    let expected: [(String, Double, Double)] = [
      ("sheaf, charges 0, −1, 2", 0.735, -0.045), ("sheaf, all charges 1", 0.738, 0.044),
      ("sheaf with L₁", 0.731, -0.097), ("squared distance from the centroid", 0.710, 0.392),
      ("GNM, 8 Å", 0.678, 0.280), ("GNM, 9 Å", 0.684, 0.358),
      ("GNM of all pairs, 1/r²", 0.678, 0.386), ("ANM, 13 Å", 0.487, 0.431),
      ("ANM, 15 Å", 0.394, 0.523), ("contacts within 10 Å", 0.523, 0.267),
    ]
    #expect(study.predictors.map(\.name) == expected.map(\.0))
    for (k, (name, all, core)) in expected.enumerated() {
      let found = study.correlations(k)
      #expect(
        abs(found.all - all) < 6e-4 && abs(found.core - core) < 6e-4,
        "\(name): \(found)")
    }
    #expect(study.predictors.prefix(3).map(ProteinFlexibility.featureCount) == [183, 61, 231])
    let (low, _, high) = study.bootstrap(0, 4)
    #expect(abs(low + 0.054) < 6e-4 && abs(high - 0.238) < 6e-4)
  }
}
