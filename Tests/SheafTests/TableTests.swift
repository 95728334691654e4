import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles

/// Tables of any dialect are read as they were written; what is wrong is named by line and column.
struct TableTests {
  static func table(_ text: String, _ hasHeader: Bool? = nil) throws(ArrayFileError) -> TableFile {
    try TableFile(Data(text.utf8), file: "t.csv", hasHeader: hasHeader)
  }

  static func problem(_ text: String, _ selection: String = "") -> String {
    do {
      let table = try table(text)
      let array = try table.numbers(columns: table.columns(selection))
      return "read as \(array.shape)"
    } catch { return error.description }
  }

  /// Numbers are doubles to the last bit, words and names come back with their quotes, commas and line
  /// ends, in every mix of separator, line end, quoting and decimal mark.
  @Test func tablesComeBack() throws {
    var (numbers, words, names) = (0, 0, 0)
    for seed in UInt64(0)..<3000 {
      var written = RandomTable(seed: seed)
      let text = written.text()
      let table: TableFile
      do {
        table = try TableFile(Data(text.utf8), file: "t", hasHeader: written.hasHeader)
      } catch {
        Issue.record("seed \(seed): \(error): \(text.debugDescription)")
        continue
      }
      #expect(table.rowCount == written.rows.count, "seed \(seed)")
      #expect(table.columnCount == written.kinds.count, "seed \(seed)")
      if table.columnCount > 1 { #expect(table.separator == written.separator, "seed \(seed)") }
      #expect(table.header == (written.hasHeader ? written.names : []), "seed \(seed)")
      let numeric = written.kinds.indices.filter { written.kinds[$0] == .number }
      let read = try table.numbers(columns: numeric).elements.map(\.bitPattern)
      let expected = written.rows.flatMap { row in numeric.map { row[$0].number.bitPattern } }
      #expect(read == expected, "seed \(seed)")
      numbers += expected.count
      for c in written.kinds.indices where written.kinds[c] == .word {
        let expected = written.rows.map { $0[c].word }
        #expect(try table.words(column: c) == expected, "seed \(seed)")
        words += written.rows.count
      }
      for (c, name) in written.names.enumerated() where written.hasHeader {
        let quoted = "\"\(name)\""
        if name.contains("\"") { continue }  // no selection can have them
        #expect(try table.columns(quoted) == [c], "seed \(seed)")
        names += 1
      }
    }
    #expect(numbers > 30_000 && words > 10_000 && names > 2000)
  }

  /// Rows and columns are those asked for, in the order asked for.
  @Test func partsAreParts() throws {
    var compared = 0
    for seed in UInt64(0)..<1000 {
      var written = RandomTable(seed: seed)
      let table = try TableFile(Data(written.text().utf8), file: "t", hasHeader: written.hasHeader)
      let numeric = written.kinds.indices.filter { written.kinds[$0] == .number }
      var g = RandomGenerator(seed: seed)
      let columns = (0..<g.integer(1...5)).map { _ in numeric[g.integer(0...numeric.count - 1)] }
      let start = g.integer(0...written.rows.count - 1)
      let rows = start..<g.integer(start + 1...written.rows.count)
      let part = try table.numbers(rows: rows, columns: columns)
      #expect(part.shape == [rows.count, columns.count], "seed \(seed)")
      let expected = written.rows[rows].flatMap { row in columns.map { row[$0].number } }
      #expect(part.elements == expected, "seed \(seed)")
      compared += expected.count
    }
    #expect(compared > 3000)
  }

  @Test(arguments: [
    ("a,b\n1,2\n", true), ("1,2\n3,4\n", false), ("\"a\"\n1\n", true),
    // pandas: columns without names, with and without their index.
    ("0,1,2\n.5,1.5,2.5\n1,2,3\n", true), (",0,1\n0,5.5,1\n1,2.5,7\n", true),
    (",0\n0,5.5\n1,2.5\n", true),
    (",x\n0,1.5\n1,2.5\n", true), ("0,1\n.5,.25\n.1,.2\n", true),
    // One-hot rows, rows that count on, labels, ordinary numbers that begin with 0.
    ("0,1\n1,0\n0,1\n", false), ("0,1,2\n3,4,5\n", false), ("0\n1\n2\n", false),
    ("0,1,2\n0,1,2\n5,6,7\n", false), ("0,1,5\n.5,1,2\n", false), ("0,1\n1,0\n", false),
    // Words: classes come again, the name of their column does not.
    ("species\ncat\ndog\ncat\n", true), ("cat\ndog\ncat\n", false),
    ("x,species\n1,cat\n2,dog\n", true), ("1,cat\n2,dog\n", false),
    ("cat,1\ndog,2\ncat,3\n", false),
    // Missing values speak neither for nor against.
    ("a,b\nNA,2\n1,NA\n", true), ("NA,2\n1,3\n", false), ("a,\n1,2\n3,4\n", true),
    ("# a,b\n1,2\n", true),
  ]) func headersAreRecognised(text: String, hasHeader: Bool) throws {
    #expect(try Self.table(text).header.isEmpty != hasHeader)
    let (fewer, all) = try (Self.table(text, true).rowCount, Self.table(text, false).rowCount)
    #expect(fewer + 1 == all)
  }

  @Test(arguments: [
    "1O.5,3,4\n1,2,3\n2,3,4\n", "id,2019,2020\n1,2.5,3\n2,4.5,5\n",
    "\"1,5\",\"2,5\"\n\"3\",\"4\"\n", "country,2019,2020\nde,2.5,3\nfr,4.5,5\n",
    "species\ncat\ndog\nbird\n",
  ]) func whatMayBeEitherIsAsked(text: String) throws {
    let problem = Self.problem(text)
    #expect(problem.contains("line 1") && problem.contains("--header yes or --header no"))
    let (fewer, all) = try (Self.table(text, true).rowCount, Self.table(text, false).rowCount)
    #expect(fewer + 1 == all)
  }

  @Test(arguments: [
    ("1;2\n3;4\n", TableFile.Separator.semicolon, [1, 2, 3, 4.0]),
    ("0,5;1,5\n2;3\n", .semicolon, [0.5, 1.5, 2, 3]), ("0,5\t1,5\n", .tab, [0.5, 1.5]),
    ("1\t2\n3\t4\n", .tab, [1, 2, 3, 4]), ("1,2\n3,4\n", .comma, [1, 2, 3, 4]),
    ("a;b\n0,5;\"1,5\"\n", .semicolon, [0.5, 1.5]), ("\"1\",\"2\"\r\n3,4", .comma, [1, 2, 3, 4]),
    ("1,2\r3,4\r", .comma, [1, 2, 3, 4]), ("1 , 2\n\n \n3,\t4\n", .comma, [1, 2, 3, 4]),
    ("+1,-.5e+1\n1.,1E2\n", .comma, [1, -5, 1, 100]),
  ]) func dialects(text: String, separator: TableFile.Separator, numbers: [Double]) throws {
    let table = try Self.table(text)
    #expect(table.separator == separator)
    #expect(try table.numbers(columns: table.columns("")).elements == numbers)
  }

  @Test(arguments: [
    ("a,b\n1,2\n3,\n", "", ["line 3", "column b (#1)", "missing value"]),
    ("a,b\n1,2\n?,4\nNaN,null\n", "", ["line 3", "column a (#0)", "(?)", "the first of 3"]),
    ("1,2\n\n3,NA\n", "1", ["line 3", "column #1", "(NA)"]),
    ("\"a\nb\",c\n1,2\n3,\n", "c", ["line 4", "column c (#1)"]),
    (
      "a,b\n1,x\n2,y\n", "", ["line 2", "column b (#1)", "\"x\" is not a number", "choose columns"]
    ),
    ("1,2\n3\n", "", ["line 2 has 1 field", "line 1 has 2", "title"]),
    ("1|2\n3|4\n", "", ["separated by \"|\"", "commas, semicolons or tabs"]),
    ("a b\n1 2.5\n3  4\n", "", ["separated by spaces"]),
    ("1,2\n3,4\n5,6,7\n", "", ["line 3 has 3 fields", "line 1 has 2", "separator comma"]),
    ("u v\nw x\n", "", ["line 1", "a header or a row", "--header"]),
    ("a;b\n0,5;1\n1;1.5\n", "", ["line 2", "column a (#0)", "decimal comma", "line 3"]),
    ("1,1e400\n", "", ["line 1", "column #1", "1e400", "finite"]),
    ("a,inf\n1,2\n", "", ["line 1", "\"inf\" is one", "--header"]),
    ("a\n1\n", "b", ["\"b\"", "a"]),
    ("a,a\n1,2\n", "a", ["columns 0 and 1"]),
    ("", "", ["no fields"]), ("\n \n", "", ["no fields"]), ("a,b\n", "", ["no rows", "a, b"]),
    ("1,\"2\n3,4\n", "", ["line 1", "quote is not closed"]),
    ("1,\"2\"3\n", "", ["line 1", "after a closing quote"]),
    ("PK\u{3}\u{4}x", "", ["spreadsheet"]), ("1,2\0\n", "", ["zero bytes"]),
  ]) func whatIsWrongIsNamed(text: String, selection: String, words: [String]) {
    let problem = Self.problem(text, selection)
    #expect(problem.hasPrefix("t.csv: ") && !problem.contains("\n"))
    for word in words { #expect(problem.contains(word), "\(problem)") }
  }

  @Test func utf16IsNamed() {
    let data = Data([0xff, 0xfe]) + "1,2\n".data(using: .utf16LittleEndian)!
    #expect(throws: ArrayFileError.self) { _ = try TableFile(data, file: "t") }
  }

  /// Our own histories: empty fields in columns that are not asked for.
  @Test func otherColumnsMayHoldAnything() throws {
    let table = try Self.table("epoch,loss,test,kind\n0,1.5,,a\n1,1.25,,\n2,1,inf,b\n")
    let chosen = try table.numbers(columns: table.columns("loss,epoch")).elements
    #expect(chosen == [1.5, 0, 1.25, 1, 1, 2])
    #expect(Self.problem("epoch,loss,test\n0,1.5,\n1,1.25,\n", "test").contains("the first of 2"))
  }

  @Test func theReadingIsSaid() throws {
    #expect(
      try Self.table("a;\"b,c\"\n0,5;1\n").reading
        == "1 row × 2 columns, separator semicolon, decimal commas, header a, \"b,c\"")
    #expect(try Self.table("1\n2\n").reading == "2 rows × 1 column, no header")
    let pandas = try Self.table(",x,y\n0,1,2\n1,3,4\n")
    #expect(pandas.reading.contains("column #0 counts the rows (#1: leaves it out)"))
    #expect(try pandas.numbers(columns: pandas.columns("1:")).elements == [1, 2, 3, 4])
  }
}

/// A random table as some program may write it.
struct RandomTable {
  enum Kind { case number, word }
  struct Field {
    var number = 0.0
    var word = ""
  }

  let separator: TableFile.Separator
  let hasHeader: Bool
  let kinds: [Kind]
  let names: [String]
  let rows: [[Field]]
  private var generator: RandomGenerator

  private static let letters = Array("abcXYZé😀,;\t\"\n' -_0189.:#@").map(String.init)

  init(seed: UInt64) {
    var g = RandomGenerator(seed: seed)
    separator = TableFile.Separator.allCases[g.integer(0...2)]
    hasHeader = g.uniform() < 0.5
    // The first column is of numbers, so that there is one.
    kinds = [.number] + (0..<g.integer(0...5)).map { _ in g.uniform() < 0.4 ? .word : .number }
    func word() -> String {
      "w"
        + (0..<g.integer(0...8)).map { _ in Self.letters[g.integer(0...Self.letters.count - 1)] }
        .joined() + "w"
    }
    names = kinds.indices.map { "\($0)" + word() }
    let kinds = kinds
    rows = (0..<g.integer(1...12)).map { _ in
      kinds.map { kind in
        guard kind == .number else { return Field(word: word()) }
        switch g.integer(0...3) {
        case 0: return Field(number: Double(g.integer(-1000...1000)))
        case 1: return Field(number: g.normal())
        case 2: return Field(number: (100 * g.normal()).rounded() / 100)
        default:
          let x = Double(bitPattern: g.next())
          return Field(number: x.isFinite ? x : -0.0)
        }
      }
    }
    generator = g
  }

  /// The table, lines and quotes at random.
  mutating func text() -> String {
    let end = ["\n", "\r\n", "\r"][generator.integer(0...2)]
    // One column of them would read as two.
    let hasCommas = separator != .comma && kinds.count > 1 && generator.uniform() < 0.5
    let mark = ["\t", ";", ","][TableFile.Separator.allCases.firstIndex(of: separator)!]
    var lines: [String] = []
    if hasHeader { lines.append(line(names.map { quoted($0) }, mark)) }
    for row in rows {
      if generator.uniform() < 0.05 && kinds.count > 1 { lines.append("") }
      lines.append(
        line(
          zip(row, kinds).map { field, kind in
            guard kind == .number else { return quoted(field.word) }
            let text = "\(field.number)"
            return quoted(hasCommas ? text.replacingOccurrences(of: ".", with: ",") : text)
          }, mark))
    }
    let isWhole = generator.uniform() < 0.8
    return (generator.uniform() < 0.2 ? "\u{FEFF}" : "") + lines.joined(separator: end)
      + (isWhole ? end : "")
  }

  private mutating func line(_ fields: [String], _ mark: String) -> String {
    fields.map { generator.uniform() < 0.1 ? " \($0) " : $0 }.joined(separator: mark)
  }

  private mutating func quoted(_ text: String) -> String {
    let isNumber = text.first != "w" && !text.contains("w")
    let isNeeded =
      !isNumber && text.contains { ",;\t\"\n".contains($0) }
      || isNumber && separator == .comma && text.contains(",")
    guard isNeeded || generator.uniform() < 0.2 else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
