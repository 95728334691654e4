import ArgumentParser
import ArrayFiles
import Figures
import Foundation
import SheafApplications

struct ExampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "example",
    abstract: "Applications of sheaves to real data, beside simple baselines.",
    discussion: """
      Names: \(Application.all.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ")). Docs/Applications.md says what they are.

      Example: sheaf example search-and-rescue --out example
      """)

  @Argument(help: "The name of an application.") var name: String
  @Option(help: "Splits, masks or draws over which scores are averaged.") var seeds = 5
  @Option(help: "A folder for figures (SVG and PNG).") var out: String?
  @Flag(help: "Print one JSON object.") var json = false

  private func application() throws -> Application {
    guard let found = Application.all.first(where: { $0.name == name }) else {
      throw ValidationError(
        "there is no application \"\(name.printable)\", expected "
          + Application.all.map(\.name).joined(separator: ", "))
    }
    return found
  }

  func validate() throws {
    _ = try application()
    guard seeds > 0 else { throw ValidationError("--seeds \(seeds), expected a positive number") }
  }

  func run() throws {
    let report = try application().run(seeds)
    if let out {
      try FileManager.default.createDirectory(
        atPath: out, withIntermediateDirectories: true)
    }
    var delivery = Delivery()
    if let out {
      for (name, figure) in report.figures {
        for format in [DrawingFormat.svg, .png] {
          delivery.put {
            try ArrayFile.write(
              try figure.drawn(as: format), to: "\(out)/\(name).\(format.rawValue)")
          }
        }
      }
    }
    if json {
      delivery.put {
        try JSONOutput.print([
          "name": name, "title": report.title, "seeds": seeds,
          "numbers": report.numbers.mapValues { JSONOutput.number($0) },
          "remarks": report.remarks,
        ])
      }
    } else {
      let tables = report.tables.map { "\($0.title)\n\n\(TextOutput.table($0.rows))" }
      delivery.print(([report.title] + tables + report.remarks).joined(separator: "\n\n"))
    }
    try delivery.end()
  }
}
