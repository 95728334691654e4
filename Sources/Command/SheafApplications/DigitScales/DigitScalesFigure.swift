import Figures
import LinearAlgebra

extension DigitScalesApplication {
  /// Six digits as they are, with noise and without, at three scales; and how wide stalks have to be.
  static func figure(_ experiment: DigitScalesExperiment, _ sheet: ScoreSheet) throws -> Figure {
    let images = experiment.test.columns(0..<6)
    // The first six of the noise of seed 0.
    let noisy = DigitScalesExperiment.noisy(images, noise: 4, seed: 0)
    let rows: [(String, DigitScalesExperiment.Method?)] = [
      ("digits", nil), ("noisy", .noisy), ("Gauss", .gaussianFilter), ("Haar", .haarBayes),
      ("sections", .sections(4)), ("fields", .fieldMixture),
    ]
    let pictures = try rows.map { name, method in
      (
        name,
        DigitScalesExperiment.clipped(
          try method.map { try experiment.denoiser($0, noise: 4)(noisy) } ?? images)
      )
    }
    return Figure(
      columns: 2, width: .page, aspect: 0.9,
      panels: [8, 4, 2].map { strip(pictures, size: $0) } + [curve(sheet)])
  }

  /// Rows of pictures as one heat map, with cells that have no value between them.
  private static func strip(_ pictures: [(String, Matrix)], size: Int) -> Panel {
    let gap = size / 4 + 1
    let step = size + gap
    let count = pictures[0].1.columns
    let (width, height) = (count * step - gap, pictures.count * step - gap)
    var values = [Double](repeating: .nan, count: width * height)
    for (row, picture) in pictures.enumerated() {
      let small = DigitScalesExperiment.blocks(picture.1, size: size)
      for k in 0..<count {
        for p in 0..<size * size {
          let y = height - 1 - row * step - p / size
          values[y * width + k * step + p % size] = small[p, k]
        }
      }
    }
    let places = pictures.enumerated().map { row, picture in
      Axis.Tick(Double(height - 1 - row * step) - Double(size - 1) / 2, picture.0)
    }
    return Panel(
      "\(size) × \(size)", x: Axis(range: -0.5...Double(width) - 0.5, ticks: []),
      y: Axis(range: -0.5...Double(height) - 0.5, ticks: places),
      layers: [
        .heatMap(
          x: (0..<width).map(Double.init), y: (0..<height).map(Double.init), values: values,
          range: 0...(size == 2 ? 10 : 16))
      ])
  }

  /// PSNR at σ = 4 against the dimension of stalks; the last is the full covariance.
  private static func curve(_ sheet: ScoreSheet) -> Panel {
    func psnr(_ method: DigitScalesExperiment.Method) -> Double {
      sheet.mean("σ = 4: \(method.name)")
    }
    let stalks = [1, 2, 4, 8]
    let marks: [(String, DigitScalesExperiment.Method)] = [
      ("ten Gaussians", .mixture), ("ten sheaf fields", .fieldMixture),
      ("full covariance", .covariance), ("sheaf field", .field), ("Haar, Wiener", .haarWiener),
      ("Haar, BayesShrink", .haarBayes),
    ]
    return Panel(
      "σ = 4",
      x: Axis(
        "dimension of stalks", scale: .logarithmic, range: 0.8...12,
        ticks: stalks.map { Axis.Tick(Double($0), "\($0)") }),
      y: Axis("PSNR, dB", range: 15...19.5), legend: .none,
      layers: marks.map { .horizontalMark(y: psnr($0.1), label: $0.0) } + [
        .line(
          x: stalks.map(Double.init), y: stalks.map { psnr(.sections($0)) },
          style: LineStyle(.series(0), dash: .solid, width: 1.5)),
        .points(
          x: stalks.map(Double.init), y: stalks.map { psnr(.sections($0)) },
          style: PointStyle(.series(0), marker: .circle, size: 6)),
      ])
  }
}
