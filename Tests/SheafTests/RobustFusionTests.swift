import CellComplexes
import CellularSheaves
import Distributions
import Foundation
import LinearAlgebra
import Testing

@testable import SheafInference

/// Losses that forgive outliers.
struct RobustFusionTests {
  /// The location of scalars, by search over a fine grid: Huber's loss, Student's.
  @Test func robustLossesAreTheirMinima() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let n = 8
      let sheaf = CellularSheaf.constant(1, on: .path(n))
      var readings = Assignment()
      for v in 0..<n {
        let s = g.uniform(0.5, 2)
        readings.readings[v] = .init(
          [g.normal() * s + (v < 3 ? g.uniform(-20, 20) : 0)], covariance: .scalar(s * s))
      }
      for loss in [Loss.huber, .studentT(degreesOfFreedom: 2)] {
        func cost(_ x: Double) -> Double {
          readings.readings.values.reduce(0) { sum, reading in
            guard case .scalar(let v) = reading.covariance else { return .nan }
            let r = abs(reading.values[0] - x) / v.squareRoot()
            if loss == .huber {
              let c = ChiSquaredDistribution(degreesOfFreedom: 1).quantile(0.8214).squareRoot()
              return sum + (r <= c ? r * r / 2 : c * r - c * c / 2)
            }
            return sum + 1.5 * log(1 + r * r / 2)
          }
        }
        var least = (-2500...2500).map { Double($0) / 100 }.min { cost($0) < cost($1) }!
        for step in [1e-3, 1e-4, 1e-5, 1e-6, 1e-7] {
          least = (-20...20).map { least + Double($0) * step }.min { cost($0) < cost($1) }!
        }
        let fusion = try Fusion(
          sheaf, readings, settings: Fusion.Settings.of(.section) { $0.readingLoss = loss })
        #expect(fusion.status == .converged, "seed \(seed), \(loss)")
        #expect(
          close([fusion.cost], [cost(least)], 1e-9) && close(fusion.value(of: 0)!, [least], 1e-5),
          "seed \(seed), \(loss): \(fusion.value(of: 0)!) for \(least), cost \(fusion.cost) for \(cost(least)), \(fusion.certificate)"
        )
      }
    }
  }

  /// Of blocks of several coordinates: no small step in any direction costs less, on random sheaves in both models.
  @Test func robustFitsHaveNoSlope() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let graph = g.connectedGraph(vertices: 4, extra: 2)
      let sheaf = g.weightedSheaf(on: graph, summands: 3)
      var readings = g.assignment(of: 0..<graph.count, on: sheaf)
      for cell in readings.cells.prefix(2) {
        readings.readings[cell]!.values = readings.readings[cell]!.values.map { $0 + 30 }
      }
      for model in FusionModel.allCases {
        for loss in [Loss.huber(quantile: 0.9), .studentT(degreesOfFreedom: 3)] {
          let fusion = try Fusion(
            sheaf, readings,
            settings: Fusion.Settings.of(model) {
              $0.readingLoss = loss
              $0.agreementLoss = loss
            })
          let dense = try DenseFusion(sheaf, readings, model)
          func cost(_ x: Matrix) -> Double {
            dense.terms.reduce(0) { sum, term in
              var r = term.a * x
              r.add(term.y, scale: -1)
              let s = max((r.transposed * (term.precision * r))[0, 0], 0)
              let d = Double(term.a.rows)
              guard d > 0 else { return sum }
              switch loss {
              case .huber(let q):
                let c = ChiSquaredDistribution(degreesOfFreedom: d).quantile(q).squareRoot()
                return sum + (s <= c * c ? s / 2 : c * s.squareRoot() - c * c / 2)
              default: return sum + (3 + d) / 2 * log(1 + s / 3)
              }
            }
          }
          var x = Matrix(rows: dense.unknowns, columns: 1)
          for (cell, start) in dense.starts {
            x.setBlock(row: start, column: 0, to: Matrix(column: fusion.value(of: cell)!))
          }
          let here = cost(x)
          #expect(
            close([fusion.cost], [here], 1e-9),
            "seed \(seed), \(model), \(loss): \(fusion.cost), \(here)")
          for j in 0..<dense.allowed.columns {
            for h in [-1e-3, 1e-3] {
              var y = x
              y.add(dense.allowed.columns([j]), scale: h)
              #expect(
                cost(y) >= here - 1e-9 * max(1, here),
                "seed \(seed), \(model), \(loss): \(cost(y) - here)")
            }
          }
        }
      }
    }
  }

  /// A reading that is far off has a small weight; the others nearly 1.
  @Test func outliersHaveSmallWeights() throws {
    let sheaf = CellularSheaf.constant(1, on: .path(6))
    let readings = Assignment(values: [0: [0.1], 1: [-0.2], 2: [0], 3: [0.3], 4: [-0.1], 5: [50]])
    for loss in [Loss.huber, .studentT(degreesOfFreedom: 4)] {
      let fusion = try Fusion(
        sheaf, readings, settings: Fusion.Settings.of(.section) { $0.readingLoss = loss })
      #expect(try #require(fusion.weight(ofReading: 5)) < 0.05)
      for v in 0..<5 { #expect(try #require(fusion.weight(ofReading: v)) > 0.9) }
      #expect(abs(fusion.value(of: 0)![0]) < 0.5 && fusion.weight(ofReading: 7) == nil)
    }
  }
}
