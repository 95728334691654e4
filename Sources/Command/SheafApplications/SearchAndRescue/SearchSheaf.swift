import CellComplexes
import LinearAlgebra
import SheafInference

/// The elements of the poset, each with what its stalk measures.
enum SearchCell: Int, CaseIterable, Sendable {
  /// (λ, φ, h, v_E, v_N, t): the state at the last contact, the minimal element.
  case fieldOffice
  /// (λ, φ, h).
  case flightPlan
  /// (λ, φ, h, v_E, v_N).
  case control
  /// (β, t).
  case finder1
  /// (β, t).
  case finder2
  /// (λ, φ) of the crash.
  case satellite
  /// β from the first finder.
  case bearing1
  /// β from the second.
  case bearing2
  /// t.
  case time
  /// (λ, φ, h) of air-traffic control, for an assignment without its velocity; not one of Robinson's.
  case controlPosition

  /// The five sources whose readings are fused. The field office repeats what it was told, and is no source of its own.
  static let sources: [SearchCell] = [.flightPlan, .control, .finder1, .finder2, .satellite]

  /// In tables.
  var name: String {
    switch self {
    case .fieldOffice: "field office"
    case .flightPlan: "flight plan"
    case .control: "air-traffic control"
    case .finder1: "direction finder 1"
    case .finder2: "direction finder 2"
    case .satellite: "satellite"
    case .bearing1: "bearing 1"
    case .bearing2: "bearing 2"
    case .time: "time"
    case .controlPosition: "position of control"
    }
  }
}

/// The sheaf of a search: a state X at the last contact, and for everything that can be measured the map that says what
/// the measurement of X is.
///
///     X ──→ control ──→ flight plan         projections
///     X ──→ satellite ──→ bearing 1, 2      dead reckoning E; bearings β₁, β₂
///     X ──→ finder k ──→ bearing k, time    (β_k ∘ E, t); projections
///
/// All ways from X to a bearing or to the time are one map, which `NonlinearSheaf` checks.
enum SearchSheaf {
  /// (longitude, latitude) of the direction finders, in degrees.
  static let stations = [[-73.662574, 42.7338328], [-77.0897374, 38.9352387]]

  /// The first coordinates of a stalk, or some of them.
  static func projection(_ coordinates: [Int], from n: Int) -> AffineMap {
    var matrix = Matrix(rows: coordinates.count, columns: n)
    for (row, column) in coordinates.enumerated() { matrix[row, column] = 1 }
    return AffineMap(.matrix(matrix))
  }

  /// The sheaf.
  static func sheaf() throws -> NonlinearSheaf {
    let bearings = stations.map { Earth.bearing(from: $0) }
    let first = projection([0], from: 2)
    let last = projection([1], from: 2)
    let parts: [(cell: SearchCell, stalk: Int, below: [(SearchCell, any SmoothMap)])] = [
      (.fieldOffice, 6, []),
      (.flightPlan, 3, [(.control, projection([0, 1, 2], from: 5))]),
      (.control, 5, [(.fieldOffice, projection([0, 1, 2, 3, 4], from: 6))]),
      (.finder1, 2, [(.fieldOffice, RadioFix(station: stations[0]))]),
      (.finder2, 2, [(.fieldOffice, RadioFix(station: stations[1]))]),
      (.satellite, 2, [(.fieldOffice, DeadReckoning())]),
      (.bearing1, 1, [(.satellite, bearings[0]), (.finder1, first)]),
      (.bearing2, 1, [(.satellite, bearings[1]), (.finder2, first)]),
      (.time, 1, [(.finder1, last), (.finder2, last)]),
      (.controlPosition, 3, [(.control, projection([0, 1, 2], from: 5))]),
    ]
    let poset = try FinitePoset(
      below: parts.map { $0.below.map(\.0.rawValue) }, names: parts.map(\.cell.name))
    return try NonlinearSheaf(
      poset, stalks: parts.map(\.stalk), maps: parts.map { $0.below.map(\.1) })
  }

  /// The sheaf of two bearings of one point: what the direction finders alone say.
  static func crossing() throws -> NonlinearSheaf {
    try NonlinearSheaf(
      try FinitePoset(below: [[], [0], [0]], names: ["crash", "bearing 1", "bearing 2"]),
      stalks: [2, 1, 1], maps: [[]] + stations.map { [Earth.bearing(from: $0)] })
  }
}
