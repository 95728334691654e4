import LinearAlgebra
import NeuralSheaves

/// The model as arrays by name, for files. Training samples themselves, and with them distances to neighbours, are not kept.
extension FamiliarityModel {
  /// Its arrays: `dimensions`, `count`, `calibration`, `scales`, and for each stalk `means/NAME`, (features, classes), `counts/NAME`,
  /// `covariance/NAME` and `calibration/NAME`.
  ///
  /// - Precondition: made without neighbours.
  public func arrays(of network: Network) -> [String: Matrix] {
    precondition(stalks.allSatisfy { $0.neighbours == nil }, "a model with neighbours")
    func column(_ list: [Int]) -> Matrix { Matrix(column: list.map(Double.init)) }
    var arrays = [
      "dimensions": column(dimensions), "count": column([count]),
      "calibration": Matrix(column: calibration),
      "scales": Matrix(scales.map { [Double($0.vertex), $0.median, $0.spread] }),
    ]
    for (stalk, calibration) in zip(stalks, stalkCalibration) {
      let name = network.vertices[stalk.features.vertex].name
      arrays["calibration/\(name)"] = Matrix(column: calibration)
      guard let gaussians = stalk.gaussians else { continue }
      arrays["means/\(name)"] = gaussians.means
      arrays["counts/\(name)"] = column(gaussians.counts)
      arrays["covariance/\(name)"] = gaussians.covariance
      arrays["shrinkage/\(name)"] = Matrix(column: [gaussians.shrinkage])
    }
    return arrays
  }

  /// The model of arrays that a network's model gave.
  ///
  /// - Throws: `FamiliarityError.network` for those of another network, `.array` for one that is missing or not as it should be.
  public init(
    _ arrays: [String: Matrix], of network: Network
  ) throws(FamiliarityError) {
    func array(_ name: String, rows: Int? = nil) throws(FamiliarityError) -> Matrix {
      guard let array = arrays[name], array.firstNonFinite == nil, array.count > 0,
        rows == nil || array.rows == rows
      else { throw .array(name) }
      return array
    }
    let expected = network.vertices.map(\.dimension)
    let dimensions = try array("dimensions").elements.map { Int(exactly: $0) ?? -1 }
    guard dimensions == expected else { throw .network(found: dimensions, expected: expected) }
    var stalks: [Stalk] = []
    var calibrations: [[Double]] = []
    for v in network.familiarVertices {
      let name = network.vertices[v].name
      // A stalk that is the same for all samples has none.
      guard arrays["means/\(name)"] != nil else { continue }
      let features = StalkFeatures(vertex: v, dimension: expected[v])
      let means = try array("means/\(name)", rows: features.dimension)
      let counts = try array("counts/\(name)", rows: means.columns).elements.map {
        Int(exactly: $0) ?? -1
      }
      let covariance = try array("covariance/\(name)", rows: features.dimension)
      guard counts.allSatisfy({ $0 >= 0 }), counts.contains(where: { $0 > 0 }),
        covariance.columns == covariance.rows,
        let gaussians = try? ClassGaussians(
          means: means, counts: counts, covariance: covariance,
          shrinkage: try array("shrinkage/\(name)")[0, 0])
      else { throw .array("covariance/\(name)") }
      stalks.append(Stalk(features: features, gaussians: gaussians, neighbours: nil))
      calibrations.append(try array("calibration/\(name)").elements)
    }
    let table = try array("scales")
    guard table.columns == 3, table.rows == stalks.count, table.rows > 0 else {
      throw .array("scales")
    }
    self.init(
      dimensions: dimensions, stalks: stalks,
      scales: stalks.indices.map {
        Scale(
          vertex: stalks[$0].features.vertex, detector: .mahalanobis, median: table[$0, 1],
          spread: table[$0, 2])
      },
      calibration: try array("calibration").elements, stalkCalibration: calibrations,
      count: Int(exactly: try array("count")[0, 0]) ?? 0)
  }
}
