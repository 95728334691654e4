import Datasets
import Figures
import LinearAlgebra

extension BreastCancerApplication {
  /// The triangle of sensors for a clean row, one with a faulty sensor and a malignant one, and how often the faulty sensor is
  /// pointed at. Of the first split.
  static func figure(_ sheet: ScoreSheet) throws -> Figure {
    Figure(panels: [])
  }
}
