import Foundation

/// The first records of a table, by which its separator and its header are recognised.
struct TableSample {
  /// What a field is.
  enum Kind { case number, missing, text }

  /// What the first record is.
  enum FirstRecord: Equatable {
    case header, row
    /// It may be either, for a reason.
    case unclear(String)
  }

  /// The fields of the first record and of the others.
  private let first: [(kind: Kind, text: String)]
  private let rest: [[(kind: Kind, text: String)]]
  /// Whether some number has a decimal comma.
  private(set) var hasDecimalCommas = false

  /// At most this many records and fields.
  private static let (mostRecords, mostFields) = (1000, 200_000)

  /// The records at some places.
  init(_ data: Data, separator: TableFile.Separator, starts: [Int]) {
    var records: [[(kind: Kind, text: String)]] = []
    var hasCommas = false
    // Nothing here throws.
    try? FieldScanner.scan(data, separator: separator.byte) { scanner in
      var fields = 0
      for start in starts.prefix(Self.mostRecords)
      where records.count < 2 || fields < Self.mostFields {
        scanner.place = start
        var record: [(kind: Kind, text: String)] = []
        while true {
          let field = scanner.next()
          switch scanner.value(field) {
          case .number: record.append((.number, scanner.text(field)))
          case .commaNumber:
            record.append((.number, scanner.text(field)))
            hasCommas = true
          case .missing: record.append((.missing, scanner.text(field)))
          case .text: record.append((.text, scanner.text(field)))
          }
          if field.isLast { break }
        }
        fields += record.count
        records.append(record)
      }
    }
    first = records.first ?? []
    rest = Array(records.dropFirst())
    hasDecimalCommas = hasCommas
  }

  /// The first record as names of columns; a # that begins a comment is none of them.
  var names: [String] {
    first.enumerated().map { i, field in
      i == 0 && field.text.hasPrefix("#")
        ? field.text.dropFirst().trimmingCharacters(in: .whitespaces) : field.text
    }
  }

  /// Whether the first column has no name and counts rows, as pandas writes its index.
  var hasIndexColumn: Bool {
    guard let name = first.first?.text, name.isEmpty || name == "Unnamed: 0", first.count > 1,
      rest.count > 1
    else { return false }
    let numbers = rest.map { Int($0[0].text) }
    return zip(numbers, numbers.dropFirst()).allSatisfy { a, b in
      a.flatMap { a in b.map { $0 == a &+ 1 } } ?? false
    }
  }

  /// What the first record is.
  var firstRecord: FirstRecord {
    if rest.isEmpty {
      return first.contains { $0.kind == .number } || !first.contains { $0.kind == .text }
        ? .row : .header
    }
    if isCounting { return .header }
    // Numbers under a word speak for a header, numbers under a number against.
    let numeric = first.indices.filter(isNumeric)
    let words = numeric.filter { first[$0].kind == .text }
    let numbers = numeric.filter { first[$0].kind == .number }
    if let w = words.first, let n = numbers.first {
      return .unclear(
        "\"\(first[w].text.printable)\" is no number, \"\(first[n].text.printable)\" is one")
    }
    if let w = words.first(where: { hasComma(first[$0].text) }) {
      return .unclear("\"\(first[w].text.printable)\" may be a number")
    }
    if !words.isEmpty { return .header }
    let texts = first.indices.filter { !numeric.contains($0) && first[$0].kind == .text }
    let isRepeated = texts.contains { c in rest.contains { $0[c].text == first[c].text } }
    if !numbers.isEmpty {
      // Years, as names of columns beside one of words?
      let years = numbers.map { Int(first[$0].text) }
      let areConsecutive =
        years.count > 1
        && zip(years, years.dropFirst()).allSatisfy { $0 != nil && $1 != nil && $1! == $0! &+ 1 }
      return areConsecutive && !texts.isEmpty && !isRepeated
        ? .unclear("its numbers count, and \"\(first[texts[0]].text.printable)\" comes but once")
        : .row
    }
    // Nothing but words: those of classes come again, the name of their column does not.
    if isRepeated || texts.isEmpty { return .row }
    let hasClasses = texts.contains { c in Set(rest.map { $0[c].text }).count < rest.count }
    return hasClasses ? .header : .unclear("no field is a number, and none comes again")
  }

  /// Whether a text is a number but for its commas.
  private func hasComma(_ text: String) -> Bool {
    text.contains(",") && Double(text.filter { $0 != "," }) != nil
  }

  /// Whether most of what stands in a column below the first record are numbers.
  private func isNumeric(_ c: Int) -> Bool {
    let numbers = rest.count { $0[c].kind == .number }
    return numbers > 0 && 2 * numbers >= rest.count { $0[c].kind != .missing }
  }

  /// Whether the first record counts columns, 0, 1, 2, …, behind an unnamed one perhaps, and is no row:
  /// the next does not count on, and two or three columns hold other numbers than those of one-hot rows.
  private var isCounting: Bool {
    let start = first[0].text.isEmpty ? 1 : 0
    let n = first.count - start
    guard n >= (hasIndexColumn ? 1 : 2), (0..<n).allSatisfy({ first[start + $0].text == "\($0)" })
    else { return false }
    if start == 0 {
      if (0..<n).allSatisfy({ rest[0][$0].text == "\(n + $0)" }) { return false }
      if rest.contains(where: { row in (0..<n).allSatisfy { row[$0].text == "\($0)" } }) {
        return false
      }
    }
    guard n <= 3 && start == 0 else { return true }
    let counts = Set((0..<n).map(Double.init))
    return rest.contains { row in
      row.contains { field in
        field.kind == .text
          || field.kind == .number && !(Double(field.text).map(counts.contains) ?? false)
      }
    }
  }
}

extension TableFile {
  /// The separator by which records are well quoted and have equally many fields, more than one, and
  /// most are numbers.
  static func separator(of data: Data, from start: Int) -> Separator {
    var best: (separator: Separator, isEven: Bool, share: Double)?
    for separator in Separator.allCases {
      let records = try? FieldScanner.scan(data, separator: separator.byte, from: start) {
        scanner in
        var (widths, numbers, fields, isQuoted) = ([Int](), 0, 0, true)
        while !scanner.isAtEnd && widths.count < 100 && fields < 100_000 {
          let place = scanner.place
          let (width, fault) = scanner.readRecord()
          if width == 0 { continue }
          if fault != nil { isQuoted = false }
          widths.append(width)
          // The first may be a header.
          guard widths.count > 1 || scanner.isAtEnd else { continue }
          let end = scanner.place
          scanner.place = place
          for _ in 0..<width {
            if case .text = scanner.value(scanner.next()) { continue }
            numbers += 1
          }
          fields += width
          scanner.place = end
        }
        return (widths, Double(numbers) / Double(max(fields, 1)), isQuoted)
      }
      guard let (widths, share, isQuoted) = records, widths.contains(where: { $0 > 1 }) else {
        continue
      }
      let isEven = isQuoted && widths.allSatisfy { $0 == widths[0] }
      if let best, (best.isEven, best.share) >= (isEven, share) { continue }
      best = (separator, isEven, share)
    }
    return best?.separator ?? .comma
  }
}

private func >= (a: (Bool, Double), b: (Bool, Double)) -> Bool {
  a.0 == b.0 ? a.1 >= b.1 : a.0
}
