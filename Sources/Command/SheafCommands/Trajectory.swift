import ArgumentParser
import NeuralSheaves
import SheafFlows

/// The course of a flow as a table: step, time, total discord, crossings, and of the first sample the output
/// and the stalks that are asked for.
struct Trajectory {
  private(set) var table: Table
  private let chosen: [(vertex: Int, coordinates: [Int])]

  /// - Parameter stalks: `all`, or `STALK[i,j,k:l]` as in a PIN.
  init(_ network: Network, stalks: [String]) throws {
    var names = ["step", "time", "totalDiscord", "crossings"]
    names += (0..<network.outputDimension).map { "\(network.outputName)[\($0)]" }
    var chosen: [(vertex: Int, coordinates: [Int])] = []
    for text in stalks {
      if text == "all" {
        // The output is there already.
        let last = network.outputActivation == .identity ? 1 : 0
        chosen += network.vertices.indices.dropFirst().dropLast(last).map {
          ($0, Array(0..<network.vertices[$0].dimension))
        }
        continue
      }
      let selection = try StalkSelection(text[...], in: "--trajectory-stalks \(text)")
      let vertex: Int
      do { vertex = try network.vertex(named: selection.stalk) } catch {
        throw WorkFailure(description: "--trajectory-stalks \(text): \(error)")
      }
      guard vertex < network.vertices.count else {
        throw ValidationError(
          "--trajectory-stalks \(text): the trajectory has the output already, expected all or a stalk "
            + "before it")
      }
      chosen.append(
        (vertex, try selection.coordinates(of: network.vertices[vertex].dimension)))
    }
    for (vertex, coordinates) in chosen {
      names += coordinates.map { "\(network.vertices[vertex].name)[\($0)]" }
    }
    (table, self.chosen) = (Table(names), chosen)
  }

  /// Appends a row.
  mutating func append(_ seen: FlowObservation) {
    table.append(
      ["\(seen.step)", "\(seen.time)", "\(seen.totalDiscord)", "\(seen.crossings)"]
        + seen.output.map { "\($0)" }
        + chosen.flatMap { vertex, coordinates in
          coordinates.map { "\(seen.state.stalks[vertex][$0, 0])" }
        })
  }
}
