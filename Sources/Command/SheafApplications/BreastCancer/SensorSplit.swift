import Datasets
import Foundation
import LinearAlgebra

/// The patients as readings of three sensors, ten features each: means over the nuclei of an image, their standard errors,
/// and the means of the three largest values. One sample a column; standardised by the training rows.
struct SensorSplit {
  static let sensors = ["mean", "error", "worst"]

  /// The coordinates of a sensor among the thirty.
  static func range(_ sensor: Int) -> Range<Int> { 10 * sensor..<10 * sensor + 10 }

  /// Of the sensors but one.
  static func others(_ sensor: Int) -> [Int] {
    (0..<30).filter { !range(sensor).contains($0) }
  }

  /// 214 benign patients, (30, 214).
  let training: Matrix
  /// The other 143 benign ones, (30, 143).
  let benign: Matrix
  /// All 212 malignant ones, (30, 212).
  let malignant: Matrix

  /// A split: the first 214 of SplitMix64(seed)'s order of the benign rows are for training.
  ///
  /// - Parameter isLogarithmic: whether features are replaced by ln(x + 10⁻³) first.
  init(_ data: BreastCancer, seed: Int, isLogarithmic: Bool) {
    var generator = SplitMix64(seed: UInt64(seed))
    let benignRows = data.isMalignant.indices.filter { !data.isMalignant[$0] }
    let order = generator.shuffled(benignRows.count).map { benignRows[$0] }
    let features = data.features.transposed
    let x = isLogarithmic ? features.mapped { log($0 + 1e-3) } : features
    let training = x.columns(Array(order[..<214]))
    let scale = Standardisation(training)
    self.training = scale(training)
    benign = scale(x.columns(Array(order[214...])))
    malignant = scale(x.columns(data.isMalignant.indices.filter { data.isMalignant[$0] }))
  }
}

/// x ↦ (x − mean)/(standard deviation, by n) of each coordinate.
struct Standardisation {
  private let (mean, deviation): ([Double], [Double])

  /// That of samples, one a column.
  init(_ x: Matrix) {
    let n = Double(x.columns)
    let mean = (0..<x.rows).map { i in (0..<x.columns).reduce(0) { $0 + x[i, $1] } / n }
    deviation = (0..<x.rows).map { i in
      ((0..<x.columns).reduce(0) { $0 + (x[i, $1] - mean[i]) * (x[i, $1] - mean[i]) } / n)
        .squareRoot()
    }
    self.mean = mean
  }

  func callAsFunction(_ x: Matrix) -> Matrix {
    var result = x
    for j in 0..<x.columns {
      for i in 0..<x.rows { result[i, j] = (x[i, j] - mean[i]) / deviation[i] }
    }
    return result
  }
}

extension Matrix {
  /// A function of each entry.
  func mapped(_ f: (Double) -> Double) -> Matrix {
    Matrix(rows: rows, columns: columns, columnMajor: elements.map(f))
  }
}
