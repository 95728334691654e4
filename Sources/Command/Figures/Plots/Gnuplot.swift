import Foundation

/// Gnuplot, a command of its own, which draws figures.
public enum Gnuplot {
  /// What a drawing can be written as.
  public typealias Format = DrawingFormat

  /// What a script that writes a format to its standard output draws, without the date.
  ///
  /// - Throws: `DrawingFailure`.
  public static func draw(_ script: String, as format: Format) throws -> Data {
    try run(script, as: format, path: nil).drawing
  }

  /// The drawing, and what gnuplot said beside it. `path` stands for the environment's.
  static func run(
    _ script: String, as format: Format, path: String?
  ) throws -> (drawing: Data, warnings: String) {
    var command = ExternalCommand(
      name: "gnuplot", package: "gnuplot-nox",
      environment: ["LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": "0"])
    if let path { command.path = path }
    // No settings of the user's.
    let answer = try command.run(["-d"], on: script)
    let drawing =
      switch format {
      case .svg: polished(answer.output)
      case .pdf: undated(answer.output)
      case .png: answer.output
      }
    return (drawing, answer.errors)
  }

  /// A document of PDF with 1970 as its date, which cairo takes from the clock. Lengths stay: the file counts its
  /// bytes.
  private static func undated(_ file: Data) -> Data {
    var file = file
    let (key, date) = (Data("/CreationDate (D:".utf8), Data("19700101000000".utf8))
    var start = file.startIndex
    while let found = file.range(of: key, in: start..<file.endIndex) {
      start = min(found.upperBound + date.count, file.endIndex)
      if start - found.upperBound == date.count {
        file.replaceSubrange(found.upperBound..<start, with: date)
      }
    }
    return file
  }

  /// A document of SVG with its size in points, fonts for readers without the first choice, smooth edges, sharp
  /// cells, and no names of curves, which browsers would show.
  private static func polished(_ file: Data) -> Data {
    let text = String(decoding: file, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix(" width=\""), line.hasSuffix("\"") { return sized(line) }
      if line.hasPrefix("\t<g id=\"gnuplot_plot_"), let end = line.firstIndex(of: ">") {
        return String(line[...end])
      }
      if line.hasPrefix("\t<g stroke='none' shape-rendering='crispEdges'>") {
        return "\t<g stroke='none'>"
      }
      if line.hasPrefix("<image ") {
        return "<image style='image-rendering:pixelated' " + line.dropFirst("<image ".count)
      }
      // Text itself stands in lines of its own.
      if line.hasPrefix("\t<g transform=") {
        return line.replacingOccurrences(
          of: "font-family=\"DejaVu Sans\"",
          with: "font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\"")
      }
      return String(line)
    }
    return Data(lines.joined(separator: "\n").utf8)
  }

  /// The attributes ` width="244" height="176"` in points, with their unit.
  private static func sized(_ line: Substring) -> String {
    let parts = line.split(separator: "\"")
    guard parts.count == 4 else { return String(line) }
    return "\(parts[0])\"\(parts[1])pt\"\(parts[2])\"\(parts[3])pt\""
  }
}
