import LinearAlgebra
import SheafPersistence
import Testing

@testable import SheafApplications

/// Loops of digits. The numbers were computed by an independent program with gudhi 3.13, numpy 2.4 and scikit-learn 1.9, to the
/// digits that are compared.
@Suite struct DigitLoopsApplicationTests {
  static let squares = known { try DigitBars(.cubes) }
  static let vertices = known { try DigitBars(.vertices) }

  /// Mean and deviation of the longest loop, its median, the mean of the second, the shares of one and of two loops ≥ 4.
  @Test(arguments: [
    (0, [8.6, 2.1, 8, 0.1, 0.98, 0.02]), (1, [0.1, 0.4, 0, 0, 0, 0]),
    (2, [1.5, 2.2, 0, 0.2, 0.16, 0.02]), (3, [2.0, 2.3, 1, 0.5, 0.20, 0.04]),
    (4, [4.7, 3.3, 5, 0.9, 0.49, 0.09]), (5, [0.7, 1.6, 0, 0.1, 0.06, 0.01]),
    (6, [8.7, 3.2, 9, 0.4, 0.90, 0.02]), (7, [2.1, 2.6, 1, 0.3, 0.22, 0.03]),
    (8, [8.9, 2.9, 9, 4.6, 0.36, 0.59]), (9, [7.4, 3.7, 8, 0.6, 0.77, 0.05]),
  ])
  func loopsOfClassesAreThoseOfGudhi(digit: Int, expected: [Double]) {
    let loops = DigitLoopsApplication.Loops(Self.squares, digit)
    let found = [
      ReportText.mean(loops.longest), ReportText.deviation(loops.longest),
      Ranking.quantile(loops.longest, 0.5), ReportText.mean(loops.second), loops.one, loops.more,
    ]
    let tolerances = [0.051, 0.051, 1e-12, 0.051, 0.0051, 0.0051]
    for (k, tolerance) in tolerances.enumerated() {
      #expect(abs(found[k] - expected[k]) < tolerance, "number \(k)")
    }
  }

  @Test func loopsTellClassesApartAsInGudhi() {
    for (digit, area) in [(0, 1.000), (6, 0.982), (8, 0.994), (9, 0.962), (4, 0.929)] {
      #expect(abs(Self.squares.areaUnderROC(0, [1], [digit]) - area) < 5.1e-4, "\(digit)")
    }
    for (bars, any, second) in [(Self.squares, 0.951, 0.891), (Self.vertices, 0.914, 0.707)] {
      let found = bars.areaUnderROC(0, [1, 2, 3, 5, 7], [0, 6, 8, 9])
      #expect(abs(found - any) < 5.1e-4)
      #expect(abs(bars.areaUnderROC(1, [0], [8]) - second) < 5.1e-4)
    }
  }

  /// Over each threshold the bars are counted by the components of ink, found by flooding, and, with Euler's number
  /// of the pixels as squares, by the holes.
  @Test func barsCountComponentsAndHoles() {
    let bars = Self.squares
    for image in stride(from: 0, to: 1797, by: 23) {
      for t in [2.0, 6, 11] {
        let ink = (0..<64).map { bars.images[$0, image] >= t }
        var (isSeen, components) = ([Bool](repeating: false, count: 64), 0)
        for start in 0..<64 where ink[start] && !isSeen[start] {
          components += 1
          var stack = [start]
          isSeen[start] = true
          while let p = stack.popLast() {
            for di in -1...1 {
              for dj in -1...1 {
                let (i, j) = (p / 8 + di, p % 8 + dj)
                guard (0..<8).contains(i), (0..<8).contains(j) else { continue }
                let q = 8 * i + j
                if ink[q] && !isSeen[q] {
                  isSeen[q] = true
                  stack.append(q)
                }
              }
            }
          }
        }
        var cells = Set<[Int]>()
        for p in 0..<64 where ink[p] {
          for a in 0...2 { for b in 0...2 { cells.insert([2 * (p / 8) + a, 2 * (p % 8) + b]) } }
        }
        let euler = cells.reduce(0) { $0 + (($1[0] + $1[1]) % 2 == 0 ? 1 : -1) }
        let barcode = bars.barcodes[image]
        #expect(barcode.betti(0, at: -t) == components, "image \(image), threshold \(t)")
        #expect(barcode.betti(1, at: -t) == components - euler, "image \(image), threshold \(t)")
      }
    }
  }

  /// Bars cannot lie beyond the diagonal, and so much of each image's mass is in the pixels that are kept.
  @Test func featuresAreOfTheBars() {
    let features = DigitFeatures.topology(Self.squares)
    #expect(features.rows == 42 && features.columns == 1797)
    for image in stride(from: 0, to: 1797, by: 101) {
      let column = features.column(image)
      #expect(column.allSatisfy { $0 >= 0 })
      if Self.squares.barcodes[image][1].isEmpty { #expect(column[21...].allSatisfy { $0 == 0 }) }
    }
  }
}
