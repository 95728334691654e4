import ArrayFiles
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
  /// The files that reproductions have written.
  private var own: Set<String> = []

  /// What is wrong with a folder.
  public struct Failure: Error, CustomStringConvertible {
    /// What, in a sentence.
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
      let isOurs =
        (try? String(contentsOfFile: path + "/" + Self.mark, encoding: .utf8)) == Self.sign
      guard names.isEmpty || isOurs else {
        throw Failure(
          description:
            "\(path): the folder holds other files (\(names.sorted().prefix(3).joined(separator: ", "))"
            + "\(names.count > 3 ? ", …" : "")); expected a new or empty one, or that of an earlier reproduction"
        )
      }
    }
    do {
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      // A folder that cannot be written to is to be found before the work is done.
      try ArrayFile.write(Data(Self.sign.utf8), to: file(Self.mark))
    } catch {
      throw Failure(description: "\(path): the folder cannot be written to")
    }
    own = [Self.mark]
    for exhibit in Exhibit.all {
      if let record = record(of: exhibit) { own.formUnion(record.files + [exhibit.name + ".json"]) }
    }
    if let page = try? String(contentsOfFile: file(Self.page), encoding: .utf8),
      page.contains(ReproductionPage.title)
    {
      own.insert(Self.page)
    }
  }

  private static let mark = "reproduction.txt"
  private static let sign = "This folder is written by sheaf reproduce.\n"
  private static let page = "index.html"

  private func file(_ name: String) -> String { path + "/" + name }

  /// - Throws: `Failure` for a file that no reproduction has written.
  private mutating func write(_ data: Data, to name: String) throws {
    guard own.contains(name) || !FileManager.default.fileExists(atPath: file(name)) else {
      throw Failure(
        description:
          "\(file(name)): a file that no reproduction has written; expected none of this name")
    }
    own.insert(name)
    try ArrayFile.write(data, to: file(name))
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
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(ExhibitRecord.self, from: data)
  }

  /// Writes what an exhibit has come to, and the page anew; why figures could not be drawn, if so.
  public mutating func write(
    _ findings: Findings, of exhibit: Exhibit, seconds: Double
  ) throws -> String? {
    func base(_ suffix: String) -> String { exhibit.name + (suffix.isEmpty ? "" : "-" + suffix) }
    let formats = [Figure.Format.svg, .pdf]
    var record = ExhibitRecord(exhibit, findings, seconds, isQuick: isQuick, version: version)
    record.figures = findings.figures.map { base($0.suffix) }
    record.tables = findings.tables.map { .init(name: base($0.suffix), html: $0.table.html) }
    let drawings = record.figures.flatMap { name in formats.map { "\(name).\($0.rawValue)" } }
    record.files =
      record.figures.map { $0 + ".gnuplot" }
      + record.tables.flatMap { [$0.name + ".csv", $0.name + ".md"] } + drawings
    // Whose the files are is known before they are there; that all are, afterwards.
    record.isDrawn = false
    try write(encoded(record), to: exhibit.name + ".json")
    for (suffix, table) in findings.tables {
      try write(Data(table.csv.utf8), to: base(suffix) + ".csv")
      try write(Data(table.markdown.utf8), to: base(suffix) + ".md")
    }
    for (suffix, figure) in findings.figures {
      try write(Data(figure.script(as: .svg).utf8), to: base(suffix) + ".gnuplot")
    }
    var problem: String?
    do {
      for (suffix, figure) in findings.figures {
        for format in formats {
          try write(figure.drawn(as: format), to: "\(base(suffix)).\(format.rawValue)")
        }
      }
    } catch let failure as DrawingFailure {
      problem = failure.description
    }
    record.isDrawn = problem == nil
    try write(encoded(record), to: exhibit.name + ".json")
    try writePage()
    return problem
  }

  private func encoded(_ record: ExhibitRecord) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(record)
  }

  /// The page of all exhibits that are there.
  public mutating func writePage() throws {
    let page = ReproductionPage(records: Exhibit.all.compactMap(record))
    try write(Data(page.html.utf8), to: Self.page)
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
    comparisons = findings.comparisons
    (self.seconds, self.isQuick, self.version) = (seconds, isQuick, version)
  }
}
