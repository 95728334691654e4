import Figures
import Foundation

/// The folder of a reproduction: for each exhibit its figures (SVG, PDF, and gnuplot's commands with the data), tables
/// (CSV and Markdown) and a record, written last; and `index.html`, which shows them all.
public struct ReproductionFolder {
  /// Where it is.
  public let path: String
  private let isQuick: Bool
  /// Of the program: what another one made is made anew.
  private let version: String

  /// What is wrong with a folder.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Opens a folder, or makes it.
  ///
  /// - Throws: `Failure` for one that holds files of others: no file of theirs is touched.
  public init(_ path: String, isQuick: Bool, version: String) throws {
    (self.path, self.isQuick, self.version) = (path, isQuick, version)
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw Failure(description: "\(path): a file; expected a folder or the name of a new one")
      }
      let names = try files.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
      guard names.isEmpty || names.contains(Self.mark) else {
        throw Failure(
          description:
            "\(path): the folder holds other files (\(names.sorted().prefix(3).joined(separator: ", "))"
            + "\(names.count > 3 ? ", …" : "")); expected a new or empty one, or that of an earlier reproduction"
        )
      }
    }
    do {
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      if !files.fileExists(atPath: file(Self.mark)) {
        try write("This folder is written by sheaf reproduce.\n", to: Self.mark)
      }
    } catch {
      throw Failure(description: "\(path): the folder cannot be written to")
    }
  }

  private static let mark = "reproduction.txt"

  private func file(_ name: String) -> String { path + "/" + name }

  private func write(_ text: String, to name: String) throws {
    try write(Data(text.utf8), to: name)
  }

  private func write(_ data: Data, to name: String) throws {
    try data.write(to: URL(fileURLWithPath: file(name)), options: .atomic)
  }

  /// Whether an exhibit is there already, made by this program as thoroughly.
  public func holds(_ exhibit: Exhibit) -> Bool {
    guard let record = record(of: exhibit) else { return false }
    return record.isQuick == isQuick && record.version == version && record.isDrawn
      && record.files.allSatisfy { FileManager.default.fileExists(atPath: file($0)) }
  }

  private func record(of exhibit: Exhibit) -> ExhibitRecord? {
    guard let data = FileManager.default.contents(atPath: file(exhibit.name + ".json")) else {
      return nil
    }
    return try? JSONDecoder().decode(ExhibitRecord.self, from: data)
  }

  /// Writes what an exhibit has come to, and the page anew; why figures could not be drawn, if so.
  public func write(_ findings: Findings, of exhibit: Exhibit, seconds: Double) throws -> String? {
    var record = ExhibitRecord(exhibit, findings, seconds, isQuick: isQuick, version: version)
    var problem: String?
    func base(_ suffix: String) -> String { exhibit.name + (suffix.isEmpty ? "" : "-" + suffix) }
    for (suffix, figure) in findings.figures {
      let base = base(suffix)
      record.figures.append(base)
      try write(figure.script(as: .svg), to: base + ".gnuplot")
      record.files.append(base + ".gnuplot")
      do {
        for format in [Figure.Format.svg, .pdf] {
          try write(figure.drawn(as: format), to: "\(base).\(format.rawValue)")
          record.files.append("\(base).\(format.rawValue)")
        }
      } catch let failure as Gnuplot.Failure {
        (problem, record.isDrawn) = (failure.description, false)
      }
    }
    for (suffix, table) in findings.tables {
      let base = base(suffix)
      try write(table.csv, to: base + ".csv")
      try write(table.markdown, to: base + ".md")
      record.files += [base + ".csv", base + ".md"]
      record.tables.append(.init(name: base, html: table.html))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try write(encoder.encode(record), to: exhibit.name + ".json")
    try writePage()
    return problem
  }

  /// The page of all exhibits that are there.
  public func writePage() throws {
    try write(ReproductionPage(Exhibit.all.compactMap(record), isQuick).html, to: "index.html")
  }
}

/// What is kept of an exhibit beside its files.
struct ExhibitRecord: Codable {
  struct Table: Codable {
    let name: String
    let html: String
  }
  let name: String
  let title: String
  let sentence: String
  let settings: String
  let comparisons: [Comparison]
  let seconds: Double
  let isQuick: Bool
  let version: String
  var isDrawn = true
  var figures: [String] = []
  var tables: [Table] = []
  var files: [String] = []

  init(
    _ exhibit: Exhibit, _ findings: Findings, _ seconds: Double, isQuick: Bool, version: String
  ) {
    (name, title) = (exhibit.name, exhibit.title)
    (sentence, settings) = (findings.sentence, findings.settings)
    comparisons = findings.comparisons.filter { $0.found.isFinite }
    (self.seconds, self.isQuick, self.version) = (seconds, isQuick, version)
  }
}
