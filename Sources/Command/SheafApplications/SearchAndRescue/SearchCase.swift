/// What five sources say about one crash, in the units of `SearchCell`.
///
/// The three cases are synthetic: no true place of a crash comes with them. They are those of M. Robinson, "Sheaves are the
/// canonical data structure for sensor integration", Information Fusion 36 (2017) 208–224 (arXiv 1603.01446), with the numbers
/// that the author's example program for his library pysheaf (github.com/kb1dds/pysheaf, SearchAndRescue.py) assigns and calls
/// Table 1 of the paper. Only these facts, the numbers and the formulas of the maps, are taken from there. The
/// consistency radii that the paper prints could not be read and are not compared with here; the program's maps have, in its own
/// words, a spherical correction that the paper's have not.
struct SearchCase: Sendable {
  /// Its number.
  let name: String
  /// What the field office believes: longitude and latitude in degrees, altitude in m, velocities to the east and to the north in
  /// km/h, hours since the last contact.
  let fieldOffice: [Double]
  /// The flight plan: longitude, latitude, altitude.
  let flightPlan: [Double]
  /// Air-traffic control: longitude, latitude, altitude, velocities.
  let control: [Double]
  /// The first direction finder: bearing in degrees from north, hours.
  let finder1: [Double]
  /// The second one.
  let finder2: [Double]
  /// What a satellite saw: longitude, latitude.
  let satellite: [Double]

  static let all = [
    SearchCase(
      name: "case 1", fieldOffice: [-70.649, 42.753, 11220, 495, 164, 0.928],
      flightPlan: [-70.662, 42.829, 11178], control: [-70.587, 42.741, 11346, 495, 164],
      finder1: [77.1, 0.943], finder2: [61.3, 0.890], satellite: [-64.599, 44.243]),
    SearchCase(
      name: "case 2", fieldOffice: [-70.668, 42.809, 11431, 495, 164, 1.05],
      flightPlan: [-70.663, 42.752, 11299], control: [-70.657, 42.773, 11346, 495, 164],
      finder1: [77.2, 0.930], finder2: [63.2, 0.974], satellite: [-64.630, 44.287]),
    SearchCase(
      name: "case 3", fieldOffice: [-70.626, 42.814, 11239, 419, 311, 1.02],
      flightPlan: [-70.612, 42.834, 11237], control: [-70.617, 42.834, 11236, 419, 310],
      finder1: [77.2, 0.985], finder2: [63.3, 1.05], satellite: [-62.742, 44.550]),
  ]

  /// What a cell reads; nil for the cells that only compare.
  func values(_ cell: SearchCell) -> [Double]? {
    switch cell {
    case .fieldOffice: fieldOffice
    case .flightPlan: flightPlan
    case .control: control
    case .finder1: finder1
    case .finder2: finder2
    case .satellite: satellite
    case .bearing1, .bearing2, .time, .controlPosition: nil
    }
  }
}
