import Distributions
import LinearAlgebra

/// The benign test rows of a split with one sensor of each replaced by another patient's.
struct FaultySensor {
  /// Of each row.
  let sensors: [Int]
  /// (30, 143).
  let readings: Matrix

  /// Draws the sensors of all rows, then for each row another row, from SplitMix64(3000 + seed).
  init(_ clean: Matrix, seed: Int) {
    var generator = SplitMix64(seed: UInt64(3000 + seed))
    let n = clean.columns
    var (readings, sensors) = (clean, [Int]())
    for _ in 0..<n { sensors.append(generator.below(3)) }
    for i in 0..<n {
      var donor = generator.below(n)
      while donor == i { donor = generator.below(n) }
      for k in SensorSplit.range(sensors[i]) { readings[k, i] = clean[k, donor] }
    }
    (self.sensors, self.readings) = (sensors, readings)
  }
}

extension BreastCancerScores {
  /// Statistics with one value for each sensor, the largest at the one that is to blame.
  var sensorStatistics: [(name: String, of: (Matrix) throws -> Matrix)] {
    get throws {
      let training = split.training
      let whole = try Moments.inverse(Moments.covariance(training))
      let own = try Self.parts(training).map { try Moments.precision($0) }
      let ridges = try (0..<3).map { v -> (map: Matrix, weight: Matrix) in
        let (x, y) = (
          training.rows(SensorSplit.others(v)), training.rows(SensorSplit.range(v))
        )
        let map = try Moments.ridge(from: x, to: y, PairSheaf.ridge)
        return (map, try Moments.precision(Matrix.difference(y, map * x)))
      }
      let hub = hub
      var list: [(name: String, of: (Matrix) throws -> Matrix)] = [
        ("hub sheaf, leave one out", { try hub.discrepancies($0) })
      ]
      for kind in [PairSheaf.Kind.ridge, .canonical, .identity] {
        let sheaf = pairs[kind]!.sheaf
        list.append(
          (
            "pair sheaf, \(kind.rawValue), edges at the sensor",
            { x in
              let e = sheaf.edgeEnergies(x)
              return Self.stack(
                [(0, 1), (0, 2), (1, 2)].map { a, b in
                  (0..<x.columns).map { e[a, $0] + e[b, $0] }
                })
            }
          ))
      }
      list += [
        (
          "ridge from the other 20",
          { x in
            Self.stack(
              (0..<3).map { v in
                Moments.energies(
                  Matrix.difference(
                    x.rows(SensorSplit.range(v)), ridges[v].map * x.rows(SensorSplit.others(v))),
                  ridges[v].weight)
              })
          }
        ),
        (
          "the sensor's own Mahalanobis",
          { x in Self.stack(zip(Self.parts(x), own).map { Moments.energies($0, $1) }) }
        ),
        (
          "Mahalanobis of all (cannot point)",
          { x in Self.stack([[Double]](repeating: Moments.energies(x, whole), count: 3)) }
        ),
      ]
      return list
    }
  }

  /// Lists as the rows of a matrix.
  private static func stack(_ rows: [[Double]]) -> Matrix { Matrix(rows) }

  /// Which sensor is faulty, whether a row has a faulty one, and what the extension makes of it.
  func fault(into sheet: inout ScoreSheet, seed: Int) throws {
    let fault = FaultySensor(split.benign, seed: seed)
    for (name, statistic) in try sensorStatistics {
      let (clean, faulty) = (try statistic(split.benign), try statistic(fault.readings))
      sheet.add("top-1: \(name)", Ranking.agreement(faulty.largestRows, fault.sensors))
      sheet.add(
        "fault AUROC: \(name)",
        Ranking.areaUnderROC(clean.columnMaxima, faulty.columnMaxima))
    }
    let chi = ChiSquaredDistribution(degreesOfFreedom: 10)
    let clean = try hub.discrepancies(split.benign).elements
    sheet.add(
      "clean sensors with p < 0.01",
      Double(clean.count { chi.upperTail($0) < 0.01 }) / Double(clean.count))
    // A tumour disagrees with what benign patients taught, too.
    let limit = Ranking.quantile(try hub.discrepancies(split.training).columnMaxima, 0.99)
    for (name, x) in [
      ("clean", split.benign), ("faulty", fault.readings), ("malignant", split.malignant),
    ] {
      let largest = try hub.discrepancies(x).columnMaxima
      sheet.add(
        "above the limit: \(name)", Double(largest.count { $0 > limit }) / Double(largest.count))
    }
    // The mean over the sensors of the mean square error where that sensor is faulty.
    var (before, after) = (0.0, 0.0)
    for v in 0..<3 {
      let rows = fault.sensors.indices.filter { fault.sensors[$0] == v }
      let (x, truth) = (fault.readings.columns(rows), split.benign.columns(rows))
      let range = SensorSplit.range(v)
      let count = Double(3 * 10 * rows.count)
      before += Matrix.difference(x.rows(range), truth.rows(range)).sumOfSquares / count
      after +=
        Matrix.difference(try hub.recovered(v, from: x), truth.rows(range)).sumOfSquares / count
    }
    sheet.add("faulty sensor, RMSE as read", before.squareRoot())
    sheet.add("faulty sensor, RMSE after extension", after.squareRoot())
  }
}
