import LinearAlgebra
import SheafPersistence

/// How often exactly the bars of a shape stand out of many samples.
struct ShapeTrial {
  /// How long a bar must be.
  enum Rule: String, CaseIterable {
    case hausdorff = "Hausdorff"
    case byDegree = "bottleneck, by degree"
    case largest = "bottleneck, largest"
  }

  let sample: ShapeSample
  /// Of seed 0.
  private(set) var first: ResampledBand?
  /// What each rule counted, by seed.
  private(set) var counts: [Rule: [[Int]]] = [:]
  /// Twice the band of each rule, the largest of the degrees, by seed.
  private(set) var lengths: [Rule: [Double]] = [:]
  /// The lengths of the finite bars by seed and degree, descending.
  private(set) var bars: [[[Double]]] = []

  init(_ sample: ShapeSample, seeds: Int, draws: Int, rules: [Rule] = Rule.allCases) throws {
    self.sample = sample
    let needsBarcodes = rules != [.hausdorff]
    for seed in 0..<seeds {
      let band = try ResampledBand(
        sample.points(seed), seed: seed, draws: draws, comparingBarcodes: needsBarcodes)
      if seed == 0 { first = band }
      for rule in rules {
        let values = Self.bands(band, rule)
        counts[rule, default: []].append(band.counts(values))
        lengths[rule, default: []].append(2 * values.max()!)
      }
      bars.append(
        sample.truth.indices.map { q in
          band.barcode[q].map(\.length).filter(\.isFinite).sorted(by: >)
        })
    }
  }

  static func bands(_ band: ResampledBand, _ rule: Rule) -> [Double] {
    switch rule {
    case .hausdorff: [Double](repeating: band.hausdorff, count: band.points.rows)
    case .byDegree: band.bottleneck
    case .largest:
      [Double](repeating: band.bottleneck.max() ?? .nan, count: band.bottleneck.count)
    }
  }

  /// In how many samples a rule counts exactly the bars of the shape.
  func right(_ rule: Rule) -> Int? { counts[rule].map { $0.count { $0 == sample.truth } } }

  /// The same for each degree alone.
  func rightByDegree(_ rule: Rule) -> [Int]? {
    counts[rule].map { list in
      sample.truth.indices.map { q in list.count { $0[q] == sample.truth[q] } }
    }
  }

  /// The mean length of the k-th longest finite bar of a degree.
  func meanLength(_ degree: Int, _ k: Int) -> Double {
    ReportText.mean(bars.map { k < $0[degree].count ? $0[degree][k] : 0 })
  }
}
