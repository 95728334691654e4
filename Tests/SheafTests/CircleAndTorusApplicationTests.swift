#if Qhull
  import LinearAlgebra
  import SheafPersistence
  import Testing

  @testable import SheafApplications

  /// Circle and torus. Numbers without another origin were computed by an independent program with gudhi 3.13 and numpy 2.4 from
  /// the same random numbers.
  @Suite struct CircleAndTorusApplicationTests {
    @Test func samplesLieOnTheirShapes() {
      let circle = ShapeSample.circle(50, deviation: 0).points(3)
      let torus = ShapeSample.torus(50, deviation: 0).points(3)
      let (disc, ball) = (ShapeSample.disc(50).points(3), ShapeSample.ball(50).points(3))
      for j in 0..<50 {
        #expect(abs(circle.sumOfSquares(column: j) - 1) < 1e-14)
        let axis = (torus[0, j] * torus[0, j] + torus[1, j] * torus[1, j]).squareRoot() - 2
        #expect(abs(axis * axis + torus[2, j] * torus[2, j] - 1) < 1e-13)
        #expect(disc.sumOfSquares(column: j) <= 1 && ball.sumOfSquares(column: j) <= 1)
      }
    }

    /// The distance to the nearest drawn point by the definition, and what is drawn.
    @Test func hausdorffDistanceIsTheLargestGap() {
      let points = ShapeSample.torus(60, deviation: 0.1).points(1)
      let places = ResampledBand.places(points)
      for k in 0..<10 {
        let isDrawn = ResampledBand.draw(60, seed: 2, k)
        let drawn = (0..<60).filter { isDrawn[$0] }
        let expected = (0..<60).map { i in
          drawn.map { j in
            (0..<3).reduce(0) {
              let d = points[$1, i] - points[$1, j]
              return $0 + d * d
            }
          }.min()!
        }.max()!.squareRoot()
        #expect(abs(ResampledBand.hausdorffDistance(places, isDrawn) - expected) < 1e-14)
      }
    }

    /// Bands of two seeds: Hausdorff, bottleneck by degree, and the longest finite bar of each degree.
    @Test(arguments: [
      ("circle", 0, 100, 0.345984647, [0.067241153, 0.203973823], [0.180708815, 0.613685075]),
      ("circle", 1, 100, 0.314472957, [0.083658839, 0.154077016], [0.155011472, 0.664653556]),
      ("disc", 0, 100, 0.363070316, [0.055617172, 0.070742114], [0.167510471, 0.101727237]),
      ("disc", 1, 100, 0.342633296, [0.060886668, 0.085443377], [0.142384002, 0.10616497]),
      (
        "torus", 0, 5, 0.976631783, [0.143281564, 0.17819252, 0.099737026],
        [0.417584229, 0.581729423, 0.199474052]
      ),
      (
        "torus", 1, 5, 1.06291366, [0.115603823, 0.178846992, 0.047583159],
        [0.498202357, 0.579166328, 0.092410755]
      ),
      (
        "ball", 0, 5, 0.401255903, [0.049942044, 0.065416279, 0.028432767],
        [0.169717049, 0.102236795, 0.053898749]
      ),
      (
        "ball", 1, 5, 0.427663289, [0.054741746, 0.053954997, 0.042502629],
        [0.176194475, 0.127641946, 0.08577518]
      ),
    ])
    func bandsAreThoseOfGudhi(
      shape: String, seed: Int, draws: Int, hausdorff: Double, bottleneck: [Double],
      longest: [Double]
    ) throws {
      let samples: [String: ShapeSample] = [
        "circle": .circle(100, deviation: 0.1), "disc": .disc(100),
        "torus": .torus(200, deviation: 0.05), "ball": .ball(200),
      ]
      let band = try ResampledBand(samples[shape]!.points(seed), seed: seed, draws: draws)
      #expect(abs(band.hausdorff - hausdorff) < 1e-8)
      for q in bottleneck.indices {
        #expect(abs(band.bottleneck[q] - bottleneck[q]) < 1e-8, "degree \(q)")
        let most = band.barcode[q].map(\.length).filter(\.isFinite).max() ?? 0
        #expect(abs(most - longest[q]) < 1e-8, "degree \(q)")
      }
    }

    @Test func distancesOfComponentsAreBottlenecks() throws {
      for seed in 0..<10 {
        let points = ShapeSample.disc(40).points(seed)
        let whole = try ResampledBand.barcode(points)
        for size in [10, 25, 39] {
          let part = try ResampledBand.barcode(points.columns(Array(0..<size)))
          let expected = whole.bottleneckDistance(to: part, degree: 0)
          #expect(
            abs(ResampledBand.componentDistance(whole, part) - expected) < 1e-12,
            "seed \(seed), \(size) points")
        }
      }
    }

    /// A rule that is right counts the bars of the shape, by each degree and in all.
    @Test func trialsCountRightSamples() throws {
      let trial = try ShapeTrial(.circle(100, deviation: 0.1), seeds: 4, draws: 20)
      for rule in ShapeTrial.Rule.allCases {
        let counts = try #require(trial.counts[rule])
        let right = try #require(trial.rightByDegree(rule))
        #expect(counts.count == 4 && right[0] == counts.count { $0[0] == 1 })
        #expect(trial.right(rule)! <= right.min()!)
      }
      // The loop is far longer than everything else.
      #expect(trial.meanLength(1, 0) > 0.5 && trial.meanLength(1, 1) < 0.1)
      #expect(trial.rightByDegree(.largest) == [4, 4])
    }
  }
#endif
