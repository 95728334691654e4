import LinearAlgebra

/// Breast cancer, Wisconsin (diagnostic): 569 patients, 30 features of the nuclei in an image of a fine-needle aspirate, and
/// whether the tumour was malignant.
///
/// UCI "Breast cancer Wisconsin (diagnostic)" (W. Wolberg, O. Mangasarian, N. Street, W. Street 1993; CC BY 4.0), in the
/// source itself (`table`). Features 0–9 are means over the nuclei of an image (radius, texture, perimeter, area,
/// smoothness, compactness, concavity, concave points, symmetry, fractal dimension), 10–19 their standard errors, 20–29
/// the means of the three largest values.
public struct BreastCancer: Sendable {
  /// The features, (569, 30): one patient a row, in the units of the table.
  public let features: Matrix
  /// Of each patient.
  public let isMalignant: [Bool]

  /// The names of the ten features of each group.
  public static let names = [
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
    "concave points", "symmetry", "fractal dimension",
  ]

  /// The data: 212 malignant, 357 benign.
  public static func load() -> BreastCancer {
    let rows = table.split(separator: "\n").map { line in
      line.split(separator: ",").map { Double($0)! }
    }
    return BreastCancer(
      features: Matrix(rows.map { Array($0.dropLast()) }), isMalignant: rows.map { $0.last! == 0 })
  }
}
