import CellComplexes
import CellularSheaves
import Datasets
import LinearAlgebra
import SheafPersistence

/// The barcodes of all 1,797 digits: of each image x, 0 ≤ x ≤ 16, the constant sheaf ℝ on its superlevel sets
/// X_t = {x ≥ t}, t falling from 16 to 0.
///
/// A bar is born at the threshold t = b at which its class appears and dies at t = d < b; its length is b − d. In degree 0
/// bars are strokes that are not yet joined, in degree 1 loops that are not yet filled.
struct DigitBars {
  /// Ink from 0 to 16, an image a column, (64, 1797).
  let images: Matrix
  let classes: [Int]
  /// Values of bars are −t: they ascend as t falls.
  let barcodes: [Barcode]

  /// - Parameter pixels: as squares, two of which join where they share a vertex, or as vertices, which join along rows
  ///   and columns.
  init(_ pixels: CubicalComplex.Pixels) throws {
    let data = Digits.load()
    var images = Matrix(
      rows: 64, columns: 1797, columnMajor: data.trainInput.elements + data.testInput.elements)
    images.scale(by: 16)
    let complex = try CubicalComplex(pixels: [8, 8], as: pixels)
    let sheaf = CellularSheaf.constant(1, on: complex.complex)
    barcodes = try (0..<images.columns).map {
      try SheafFiltration.cubical(
        sheaf, on: complex, values: images.column($0), pixels: pixels, isSuperlevel: true
      ).barcode(over: .prime(2), maximumDegree: 1)
    }
    (self.images, classes) = (images, data.trainTarget.largestRows + data.testTarget.largestRows)
  }

  /// The length of the k-th longest loop of each image, 0 where there are fewer.
  func loopLengths(_ k: Int) -> [Double] {
    barcodes.map { barcode in
      let lengths = barcode[1].map(\.length).sorted(by: >)
      return k < lengths.count ? lengths[k] : 0
    }
  }

  /// What images of some classes have in a list.
  func values(_ list: [Double], of wanted: [Int]) -> [Double] {
    zip(list, classes).filter { wanted.contains($0.1) }.map(\.0)
  }

  /// How well the k-th longest loop tells some classes from others.
  func areaUnderROC(_ k: Int, _ negative: [Int], _ positive: [Int]) -> Double {
    let lengths = loopLengths(k)
    return Ranking.areaUnderROC(values(lengths, of: negative), values(lengths, of: positive))
  }
}
