import Foundation
import LinearAlgebra
import NeuralSheaves

/// Values for `JSONSerialization`.
enum JSONOutput {
  /// A number, or null if it is not finite.
  static func number(_ x: Double?) -> Any {
    guard let x, x.isFinite else { return NSNull() }
    return x
  }

  /// A list of samples, each a list of numbers.
  static func samples(_ m: Matrix) -> Any {
    (0..<m.columns).map { j in m.column(j).map { number($0) } }
  }

  /// The edges with their discords, and their names in the file where it has some.
  static func discords(_ report: DiscordReport, of network: Network) -> Any {
    zip(report.edges, network.tensorNames(of: report)).map { edge, tensor in
      var object: [String: Any] = [
        "edge": edge.edge, "kind": edge.kind.rawValue, "layer": edge.layer,
        "discord": number(edge.discord),
      ]
      if let tensor { object["tensor"] = tensor }
      return object
    }
  }

  /// Prints one object on standard output.
  static func print(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    try StandardStreams.print(String(decoding: data, as: UTF8.self))
  }
}
