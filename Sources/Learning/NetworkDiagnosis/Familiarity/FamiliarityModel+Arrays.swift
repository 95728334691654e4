import LinearAlgebra
import NeuralSheaves

/// The model as arrays by name, for files. Training samples themselves, and with them distances to neighbours, are not kept.
extension FamiliarityModel {
  /// Its arrays: `dimensions`, `count`, `calibration`, and for each stalk `means/NAME`, (features, classes), `counts/NAME`,
  /// `covariance/NAME`, `distances/NAME` (logarithms, of the samples held out, ascending) and `calibration/NAME`.
  ///
  /// - Precondition: made without neighbours.
  public func arrays(of network: Network) -> [String: Matrix] {
    precondition(stalks.allSatisfy { $0.neighbours.isEmpty }, "a model with neighbours")
    func column(_ list: [Int]) -> Matrix { Matrix(column: list.map(Double.init)) }
    var arrays = [
      "dimensions": column(dimensions), "count": column([count]),
      "calibration": Matrix(column: calibration),
    ]
    for (k, stalk) in stalks.enumerated() {
      let name = network.vertices[stalk.features.vertex].name
      arrays["calibration/\(name)"] = Matrix(column: stalkCalibration[k])
      guard let gaussians = stalk.gaussians, let scale = scales[k][.mahalanobis] else { continue }
      arrays["means/\(name)"] = gaussians.means
      arrays["counts/\(name)"] = column(gaussians.counts)
      arrays["covariance/\(name)"] = gaussians.covariance
      arrays["distances/\(name)"] = Matrix(column: scale.sorted)
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
    func ascending(_ name: String) throws(FamiliarityError) -> [Double] {
      let list = try array(name).elements
      guard zip(list, list.dropFirst()).allSatisfy({ $0 <= $1 }) else { throw .array(name) }
      return list
    }
    let expected = network.vertices.map(\.dimension)
    let dimensions = try array("dimensions").elements.map { Int(exactly: $0) ?? -1 }
    guard dimensions == expected else { throw .network(found: dimensions, expected: expected) }
    var stalks: [Stalk] = []
    var scales: [[Detector: TailScale]] = []
    var calibrations: [[Double]] = []
    for v in network.familiarVertices {
      let name = network.vertices[v].name
      // A stalk that is the same for all samples of each class has none.
      guard arrays["means/\(name)"] != nil else { continue }
      let features = StalkFeatures(vertex: v, dimension: expected[v])
      let means = try array("means/\(name)", rows: features.dimension)
      let counts = try array("counts/\(name)", rows: means.columns).elements.map {
        Int(exactly: $0) ?? -1
      }
      let covariance = try array("covariance/\(name)", rows: features.dimension)
      guard means.columns == network.classCount ?? 1, counts.allSatisfy({ $0 >= 0 }),
        counts.contains(where: { $0 > 0 }), covariance.columns == covariance.rows,
        let gaussians = try? ClassGaussians(means: means, counts: counts, covariance: covariance)
      else { throw .array("covariance/\(name)") }
      stalks.append(Stalk(features: features, gaussians: gaussians))
      scales.append([.mahalanobis: TailScale(sorted: try ascending("distances/\(name)"))])
      calibrations.append(try ascending("calibration/\(name)"))
    }
    guard !stalks.isEmpty else { throw .array("means/x") }
    self.init(
      dimensions: dimensions, stalks: stalks, scales: scales, stalkCalibration: calibrations,
      calibration: try ascending("calibration"),
      count: Int(exactly: try array("count")[0, 0]) ?? 0)
  }
}
