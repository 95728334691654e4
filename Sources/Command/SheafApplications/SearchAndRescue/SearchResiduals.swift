import SheafInference

/// By how much the cells of a case disagree, in the units in which its author compares them: positions in km, bearings in degrees,
/// times in hours. Velocities are not compared.
struct SearchResiduals: Sendable {
  struct Entry: Sendable {
    let name: String
    let unit: String
    let value: Double
  }

  /// One for each comparison.
  let entries: [Entry]
  /// Where the field office's state arrives.
  let deadReckoning: [Double]

  init(_ search: SearchCase) {
    let x = search.fieldOffice
    let arrival = DeadReckoning().value(x)
    deadReckoning = arrival
    var entries = [
      Entry(name: "field office – control", unit: "km", value: Earth.distance(x, search.control)),
      Entry(
        name: "control – flight plan", unit: "km",
        value: Earth.distance(search.control, search.flightPlan)),
      Entry(
        name: "field office – flight plan", unit: "km",
        value: Earth.distance(x, search.flightPlan)),
      Entry(
        name: "dead reckoning – satellite", unit: "km",
        value: Earth.distance(arrival, search.satellite)),
    ]
    for (k, finder) in [search.finder1, search.finder2].enumerated() {
      let bearing = Earth.bearing(from: SearchSheaf.stations[k])
      entries += [
        Entry(
          name: "dead reckoning – finder \(k + 1)", unit: "°",
          value: Earth.angle(bearing.value(arrival)[0], finder[0])),
        Entry(
          name: "satellite – finder \(k + 1)", unit: "°",
          value: Earth.angle(bearing.value(search.satellite)[0], finder[0])),
        Entry(
          name: "field office – finder \(k + 1)", unit: "h", value: abs(x[5] - finder[1])),
      ]
    }
    entries.append(
      Entry(
        name: "finder 1 – finder 2", unit: "h", value: abs(search.finder1[1] - search.finder2[1])))
    self.entries = entries
  }

  /// The largest of them, km, degrees and hours alike: what the author calls the consistency radius.
  var mixedRadius: Double { entries.reduce(0) { max($0, $1.value) } }
}
