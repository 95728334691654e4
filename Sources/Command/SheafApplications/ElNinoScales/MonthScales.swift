import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCoarsening

/// A series of months at scales: sheaf wavelets of the path of months with the parts season (3 months), year (12), and what follows.
///
/// With the constant sheaf the part of a level is the means over its blocks minus those over the blocks of the next, and the last is
/// the means over the largest blocks,
///
///     x = (x − season mean) + (season mean − year mean) + year mean,
///
/// orthogonal to one another. With maps, constants are replaced by sections, x_t = ρ x_{t−1}.
struct MonthScales {
  /// Months of a block, for each level; those of the last have the scaling coefficients.
  let blocks: [Int]
  private let wavelets: SheafWavelets

  /// - Parameters:
  ///   - count: of the months, from the first month of a block on; a multiple of the largest block.
  ///   - maps: into each month of the year from the one before; the identity if nil.
  init(_ count: Int, blocks: [Int] = [3, 12], maps: [Double]? = nil) throws {
    precondition(count % blocks.last! == 0, "\(count) months in blocks of \(blocks.last!)")
    let path = try CellComplex.graph(
      vertices: count, edges: (1..<count).map { ($0 - 1, Optional($0)) })
    let sheaf = try CellularSheaf(path, stalks: [Int](repeating: 1, count: path.count)) {
      $0 % 2 == 1 ? .identity : .scalar(maps?[($0 / 2 + 1) % 12] ?? 1)
    }
    let hierarchy = try VertexHierarchy(
      vertices: count, labels: blocks.map { block in (0..<count).map { $0 / block } },
      closing: false)
    wavelets = try SheafWavelets(sheaf, hierarchy)
    self.blocks = blocks
  }

  /// The parts of a series, finest first: their sum is the series.
  func parts(_ x: [Double]) -> [[Double]] {
    let coefficients = wavelets.analyse(Matrix(column: x))
    return (0...blocks.count).map { scale in
      var kept = coefficients
      for (i, element) in wavelets.elements.enumerated() where Self.scale(element, blocks) != scale
      {
        kept[i, 0] = 0
      }
      return wavelets.synthesise(kept).elements
    }
  }

  /// ‖part‖² for each scale, finest first, and each column.
  func energies(_ series: Matrix) -> [[Double]] { wavelets.powers(wavelets.analyse(series)) }

  /// ‖part‖² within each block of the last level, for each scale but of one column: (blocks) numbers a scale.
  func energiesByBlock(_ x: [Double]) -> [[Double]] {
    let c = wavelets.analyse(Matrix(column: x))
    let largest = blocks.last!
    var result = [[Double]](
      repeating: [Double](repeating: 0, count: x.count / largest), count: blocks.count + 1)
    for (i, element) in wavelets.elements.enumerated() {
      let scale = Self.scale(element, blocks)
      let month = element.part * blocks[min(scale, blocks.count - 1)]
      result[scale][month / largest] += c[i, 0] * c[i, 0]
    }
    return result
  }

  /// The number of coefficients of each scale.
  var counts: [Int] {
    var result = [Int](repeating: 0, count: blocks.count + 1)
    for element in wavelets.elements { result[Self.scale(element, blocks)] += 1 }
    return result
  }

  private static func scale(_ element: SheafWavelets.Element, _ blocks: [Int]) -> Int {
    element.isScaling ? blocks.count : element.level - 1
  }

  /// The squares of the parts of each month, finest first, the mean over the twelve months in which a year may start (cycle
  /// spinning); months that fill no year are left out of that start.
  static func spunSquares(_ x: [Double]) throws -> [[Double]] {
    var sums = [[Double]](repeating: [Double](repeating: 0, count: x.count), count: 3)
    var counts = [Double](repeating: 0, count: x.count)
    for start in 0..<12 {
      let months = start..<start + (x.count - start) / 12 * 12
      let parts = try MonthScales(months.count).parts(Array(x[months]))
      for t in months {
        counts[t] += 1
        for scale in 0..<3 {
          sums[scale][t] += parts[scale][t - start] * parts[scale][t - start]
        }
      }
    }
    return sums.map { zip($0, counts).map { $0 / $1 } }
  }
}
