import LinearAlgebra
import SheafPersistence

/// Features of digits for a regression: a feature a row, an image a column.
enum DigitFeatures {
  /// Persistence images of degrees 0 and 1, the pixels that bars can lie in (Adams et al. 2017): births from 16 to 0 and
  /// lengths from 0 to 16 on 6 × 6 pixels, deviation 1.6, a bar weighing by its length.
  ///
  /// A bar born at b is at most b long, so pixels beyond are left out: 2 · 21 features.
  static func topology(_ bars: DigitBars) -> Matrix {
    let grid = PersistenceImage.Grid(births: -16...0, persistences: 0...16, columns: 6, rows: 6)
    let kept = (0..<6).flatMap { column in
      (0..<6).filter { $0 + column < 6 }.map { column * 6 + $0 }
    }
    let columns = bars.barcodes.flatMap { barcode in
      [0, 1].flatMap { degree in
        let vector = PersistenceImage(
          barcode, degree: degree, grid: grid, deviation: 1.6, weight: .ramp(upTo: 16), infinity: 0
        ).vector
        return kept.map { vector[$0] }
      }
    }
    return Matrix(rows: 2 * kept.count, columns: bars.barcodes.count, columnMajor: columns)
  }

  /// The share of images whose class is told by a regression (C = 0.1) that was fitted to the other four of five folds;
  /// features are standardised by their training samples.
  ///
  /// - Parameter seed: folds are the places modulo 5 in the order that SplitMix64(seed) shuffles images to.
  static func accuracy(_ features: Matrix, _ classes: [Int], seed: Int) throws -> Double {
    var generator = SplitMix64(seed: UInt64(seed))
    let order = generator.shuffled(classes.count)
    var right = 0
    for fold in 0..<5 {
      let (held, rest) = Folds.split(order.count, fold, of: 5)
      let (test, training) = (held.map { order[$0] }, rest.map { order[$0] })
      let scaled = standardised(features, by: training)
      let model = try SoftmaxRegression(
        scaled.columns(training), classes: training.map { classes[$0] }, c: 0.1, tolerance: 1e-3)
      let found = model(scaled.columns(test)).largestRows
      right += zip(found, test).count { $0 == classes[$1] }
    }
    return Double(right) / Double(classes.count)
  }

  /// Rows of mean 0 and deviation 1 over some samples; those that hardly vary there are 0.
  private static func standardised(_ x: Matrix, by samples: [Int]) -> Matrix {
    var result = x
    for i in 0..<x.rows {
      let list = samples.map { x[i, $0] }
      let (mean, deviation) = (ReportText.mean(list), ReportText.deviation(list))
      let factor = deviation > 1e-9 ? 1 / deviation : 0
      for j in 0..<x.columns { result[i, j] = (x[i, j] - mean) * factor }
    }
    return result
  }
}
