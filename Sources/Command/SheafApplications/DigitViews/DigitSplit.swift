import CellComplexes
import Datasets
import LinearAlgebra

/// Images of digits, 64 pixels of 0–1 a column, split into 1,297 for training and 500 for testing.
struct DigitSplit {
  let training: Matrix
  let trainingClasses: [Int]
  let test: Matrix
  let testClasses: [Int]

  /// The split of the data set for seed 0, otherwise that of SplitMix64(seed)'s order of the rows of UCI's table.
  init(seed: Int) {
    let data = Digits.load()
    let images = Matrix(
      rows: 64, columns: 1797, columnMajor: data.trainInput.elements + data.testInput.elements)
    let classes = data.trainTarget.largestRows + data.testTarget.largestRows
    var order = Array(0..<1797)
    if seed > 0 {
      var imageOfRow = order
      for (image, row) in Digits.rows.enumerated() { imageOfRow[row] = image }
      var generator = SplitMix64(seed: UInt64(seed))
      order = generator.shuffled(1797).map { imageOfRow[$0] }
    }
    let (first, last) = (Array(order[..<1297]), Array(order[1297...]))
    (training, test) = (images.columns(first), images.columns(last))
    (trainingClasses, testClasses) = (first.map { classes[$0] }, last.map { classes[$0] })
  }
}

/// Which pixels each of five views sees.
struct DigitWindows {
  /// Pixels of each view, row by row.
  let pixels: [[Int]]
  /// The pairs of views with an edge.
  let pairs: [(Int, Int)]

  /// n × n pixels from a corner on.
  private static func window(_ row: Int, _ column: Int, _ n: Int) -> [Int] {
    (row..<row + n).flatMap { i in (column..<column + n).map { 8 * i + $0 } }
  }

  /// 5 × 5 pixels in each corner and 4 × 4 in the middle: every two of them share pixels, and their nerve is K₅.
  static let overlapping: DigitWindows = {
    let pixels = [
      window(0, 0, 5), window(0, 3, 5), window(3, 0, 5), window(3, 3, 5), window(2, 2, 4),
    ]
    let nerve = SimplicialComplex.nerve(of: pixels, maximumDimension: 1).complex
    return DigitWindows(
      pixels: pixels,
      pairs: nerve.complex.cells(ofDimension: 1).map {
        (Int(nerve.simplices[$0].first!), Int(nerve.simplices[$0].last!))
      })
  }()

  /// The quarters without the middle, and the middle: no two share pixels. Their nerve has no edges, so all pairs get one.
  static let disjoint: DigitWindows = {
    let middle = window(2, 2, 4)
    let quarters = [(0, 0), (0, 4), (4, 0), (4, 4)].map { row, column in
      window(row, column, 4).filter { !middle.contains($0) }
    }
    return DigitWindows(
      pixels: quarters + [middle],
      pairs: (0..<5).flatMap { u in (u + 1..<5).map { (u, $0) } })
  }()
}

/// Test images of which one view each was corrupted: what each view sees.
struct CorruptedViews {
  enum Kind: String, CaseIterable {
    case clean
    /// The view sees another image, of another class.
    case swap
    /// The view sees uniform noise.
    case noise
  }

  /// The corrupted view of each image.
  let views: [Int]
  /// The image that a swapped view sees.
  let donors: [Int]
  private let noise: Matrix
  private let images: Matrix

  /// Draws the views of all images, then for each a donor of another class, then 25 numbers for each, from
  /// SplitMix64(1000 + seed).
  init(_ images: Matrix, _ classes: [Int], seed: Int) {
    var generator = SplitMix64(seed: UInt64(1000 + seed))
    let n = images.columns
    var (views, donors) = ([Int](), [Int]())
    for _ in 0..<n { views.append(generator.below(5)) }
    for i in 0..<n {
      var donor = generator.below(n)
      while classes[donor] == classes[i] { donor = generator.below(n) }
      donors.append(donor)
    }
    var noise = Matrix(rows: 25, columns: n)
    for i in 0..<n { for k in 0..<25 { noise[k, i] = generator.unit() } }
    (self.views, self.donors, self.noise, self.images) = (views, donors, noise, images)
  }

  /// The pixels that a view sees.
  func pixels(_ list: [Int], view: Int, _ kind: Kind) -> Matrix {
    var seen = images.rows(list)
    for i in views.indices where views[i] == view {
      for (k, pixel) in list.enumerated() {
        switch kind {
        case .clean: break
        case .swap: seen[k, i] = images[pixel, donors[i]]
        case .noise: seen[k, i] = noise[k, i]
        }
      }
    }
    return seen
  }
}
