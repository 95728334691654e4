import Distributions
import Foundation
import LinearAlgebra
import SheafInference

/// The standard deviations of readings. None comes with the data; these were chosen before anything was fitted.
struct SearchUnits: Sendable {
  /// Of positions along each axis, in km.
  var position = 5.0
  /// In m.
  var altitude = 100.0
  /// Of each component, in km/h.
  var velocity = 20.0
  /// In hours.
  var time = 0.05
  /// In degrees.
  var bearing = 1.0
  /// Of the satellite's position along each axis, in km.
  var satellite = 5.0
  /// The latitude at which kilometres to the east become degrees, near the last contact.
  let latitude = 42.8

  /// All of them times a factor.
  func scaled(by s: Double) -> SearchUnits {
    SearchUnits(
      position: s * position, altitude: s * altitude, velocity: s * velocity, time: s * time,
      bearing: s * bearing, satellite: s * satellite)
  }

  /// The variances of longitude and latitude, in degrees², of so many km along each axis.
  private func place(_ kilometres: Double, at latitude: Double) -> [Double] {
    let degrees = kilometres / Earth.degree
    let c = Earth.cosine(latitude)
    return [degrees * degrees / (c * c), degrees * degrees]
  }

  /// The variances of a cell's coordinates.
  func variances(_ cell: SearchCell, _ values: [Double]) -> [Double] {
    let point = place(position, at: latitude) + [altitude * altitude]
    let speed = velocity * velocity
    return switch cell {
    case .fieldOffice: point + [speed, speed, time * time]
    case .flightPlan, .controlPosition: point
    case .control: point + [speed, speed]
    case .finder1, .finder2: [bearing * bearing, time * time]
    case .satellite: place(satellite, at: values[1])
    case .bearing1, .bearing2: [bearing * bearing]
    case .time: [time * time]
    }
  }
}

/// The region around an estimated point in which it lies with some probability.
struct ErrorEllipse: Sendable {
  /// (longitude, latitude) in degrees.
  let center: [Double]
  /// Standard deviations along the axes in km, the larger first.
  let axes: [Double]
  /// Of the major axis, in degrees from north, 0 to below 180.
  let azimuth: Double

  /// The ellipse of a covariance of (longitude, latitude) in degrees².
  init(center: [Double], covariance: Matrix) throws {
    let scale = [Earth.degree * Earth.cosine(center[1]), Earth.degree]
    var kilometres = covariance
    for i in 0..<2 { for j in 0..<2 { kilometres[i, j] *= scale[i] * scale[j] } }
    let eigen = try SymmetricEigendecomposition(kilometres)
    self.center = center
    axes = [eigen.values[1], eigen.values[0]].map { max($0, 0).squareRoot() }
    let angle = atan2(eigen.vectors[0, 1], eigen.vectors[1, 1]) * 180 / Double.pi
    azimuth = angle < 0 ? angle + 180 : angle >= 180 ? angle - 180 : angle
  }

  /// Points of the curve around a share of the probability, in degrees; closed.
  func curve(probability: Double, points n: Int = 72) -> (x: [Double], y: [Double]) {
    let s = ChiSquaredDistribution(degreesOfFreedom: 2).quantile(probability).squareRoot()
    let turn = azimuth * Double.pi / 180
    let angles = (0...n).map { 2 * Double.pi * Double($0) / Double(n) }
    let along = angles.map { s * axes[0] * cos($0) }
    let across = angles.map { s * axes[1] * sin($0) }
    let c = Earth.degree * Earth.cosine(center[1])
    return (
      zip(along, across).map { center[0] + ($0 * sin(turn) + $1 * cos(turn)) / c },
      zip(along, across).map { center[1] + ($0 * cos(turn) - $1 * sin(turn)) / Earth.degree }
    )
  }
}

/// The state that explains readings of a case best, and where it came down.
struct SearchFusion: Sendable {
  /// What was fused.
  let assignment: Assignment
  let sheaf: NonlinearSheaf
  let fusion: Fusion
  /// Where E of the state is, with its covariance.
  let crash: ErrorEllipse

  /// Fuses what some cells read: weighted least squares on the global sections, from the state that control and the first
  /// finder tell.
  ///
  /// - Throws: `InferenceError` for readings that do not determine where the state arrives.
  init(
    _ search: SearchCase, _ cells: [SearchCell] = SearchCell.sources,
    units: SearchUnits = SearchUnits()
  ) throws {
    try self.init(SearchSheaf.sheaf(), Self.assignment(search, cells, units), search)
  }

  private init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, _ search: SearchCase
  ) throws {
    var settings = Fusion.Settings()
    settings.starts = 1
    settings.start = [SearchCell.fieldOffice.rawValue: search.control + [search.finder1[1]]]
    (self.sheaf, self.assignment) = (sheaf, assignment)
    fusion = try Fusion(sheaf, assignment, settings: settings)
    let place = SearchCell.satellite.rawValue
    guard let covariance = try fusion.covariance(of: place) else {
      throw InferenceError.quantity(
        name: "the crash", found: "readings that do not determine it",
        expected: "some that tell position, velocity and time, or a place")
    }
    crash = try ErrorEllipse(center: fusion.value(of: place)!, covariance: covariance)
  }

  /// The readings of some cells. The position of control is that part of what control reads.
  static func assignment(
    _ search: SearchCase, _ cells: [SearchCell], _ units: SearchUnits = SearchUnits()
  ) -> Assignment {
    Assignment(
      Dictionary(
        uniqueKeysWithValues: cells.map { cell in
          let values =
            cell == .controlPosition ? Array(search.control.prefix(3)) : search.values(cell)!
          return (
            cell.rawValue,
            Assignment.Reading(values, covariance: .diagonal(units.variances(cell, values)))
          )
        }))
  }

  /// The state at the last contact.
  var state: [Double] { fusion.value(of: SearchCell.fieldOffice.rawValue)! }

  /// Its standard deviations; nil where the readings do not determine it.
  func deviations() throws -> [Double]? {
    try fusion.covariance(of: SearchCell.fieldOffice.rawValue).map { c in
      (0..<c.rows).map { c[$0, $0].squareRoot() }
    }
  }

  /// A reading against what the others predict.
  struct Refit: Sendable {
    let cell: SearchCell
    /// rᵀ (Σ + C)⁻¹ r for the difference r, the covariance Σ of the reading and C of the prediction.
    let statistic: Double
    /// Of the χ² distribution of it.
    let degreesOfFreedom: Int
    let pValue: Double
    /// The fusion of the others.
    let others: SearchFusion
  }

  /// Each reading left out in turn, and the others fused anew. `Anomalies` has the same in closed form for maps that are
  /// affine; where they bend and a reading is far off the two differ.
  func refits(_ search: SearchCase) throws -> [Refit] {
    try assignment.cells.map { place in
      let reading = assignment.readings[place]!
      let others = try SearchFusion(sheaf, assignment.without([place]), search)
      let prediction = others.fusion.value(of: place)!
      let n = prediction.count
      let difference = (0..<n).map { i in
        let d = prediction[i] - reading.values[i]
        return sheaf.periods[place][i].map { d.remainder(dividingBy: $0) } ?? d
      }
      var covariance = reading.covariance.dense(n)
      covariance.add(try others.fusion.covariance(of: place)!, scale: 1)
      var whitened = Matrix(column: difference)
      try CholeskyFactorization(covariance).solve(&whitened)
      let statistic = (0..<n).reduce(0) { $0 + difference[$1] * whitened[$1, 0] }
      return Refit(
        cell: SearchCell(rawValue: place)!, statistic: statistic, degreesOfFreedom: n,
        pValue: ChiSquaredDistribution(degreesOfFreedom: Double(n)).upperTail(statistic),
        others: others)
    }
  }

  /// Where the two bearings of a case cross.
  static func crossing(_ search: SearchCase) throws -> [Double] {
    var settings = Fusion.Settings()
    settings.starts = 1
    settings.start = [0: search.satellite]
    let assignment = Assignment(values: [1: [search.finder1[0]], 2: [search.finder2[0]]])
    return try Fusion(SearchSheaf.crossing(), assignment, settings: settings).value(of: 0)!
  }
}
