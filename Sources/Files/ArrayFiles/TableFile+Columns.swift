import Foundation

/// Columns by number and name.
extension TableFile {
  /// The columns that a selection names: zero-based numbers, half-open ranges `a:b` of them and header
  /// names, separated by commas; all columns for an empty one. Names with commas, and those that are also
  /// the number of another column, stand in quotes.
  public func columns(_ selection: String) throws(ArrayFileError) -> [Int] {
    if selection.isEmpty { return Array(0..<columnCount) }
    // A name may have a comma.
    if selection.contains(","), let c = try column(named: selection) { return [c] }
    var chosen: [Int] = []
    for word in words(of: selection) { chosen += try columns(word.text, isQuoted: word.isQuoted) }
    return chosen
  }

  private func columns(_ word: String, isQuoted: Bool) throws(ArrayFileError) -> [Int] {
    if isQuoted {
      guard let c = try column(named: word) else { throw unknown(word) }
      return [c]
    }
    let named = try column(named: word)
    if let i = Int(word), (0..<columnCount).contains(i) {
      guard let named, named != i else { return [i] }
      throw fail(
        "#\(word) is column \(i) and the name of column \(named); say \(i):\(i + 1) or \"\(word)\"")
    }
    if let named { return [named] }
    let ends = word.split(separator: ":", omittingEmptySubsequences: false)
    guard ends.count == 2, let a = ends[0].isEmpty ? 0 : Int(ends[0]),
      let b = ends[1].isEmpty ? columnCount : Int(ends[1]), 0 <= a, a < b, b <= columnCount
    else { throw unknown(word) }
    return Array(a..<b)
  }

  /// The column of a name; nil if none has it.
  private func column(named name: String) throws(ArrayFileError) -> Int? {
    guard let c = header.firstIndex(of: name) else { return nil }
    if let other = header[(c + 1)...].firstIndex(of: name) {
      throw fail(
        "the name \"\(name.printable)\" is that of columns \(c) and \(other); choose by number")
    }
    return c
  }

  /// The words of a selection, split at commas outside of quotes.
  private func words(of selection: String) -> [(text: String, isQuoted: Bool)] {
    var words: [(text: String, isQuoted: Bool)] = [("", false)]
    var isOpen = false
    for character in selection {
      switch character {
      case "\"":
        isOpen.toggle()
        words[words.count - 1].isQuoted = true
      case "," where !isOpen: words.append(("", false))
      default: words[words.count - 1].text.append(character)
      }
    }
    return words.map { word in
      word.isQuoted || header.contains(word.text)
        ? word
        : (word.text.trimmingCharacters(in: .whitespaces), false)
    }
  }

  private func unknown(_ word: String) -> ArrayFileError {
    let names = header.isEmpty ? "" : " or a name of \(shown(header))"
    return fail(
      "no column \"\(word.printable)\", expected a number or a range in 0:\(columnCount)\(names)")
  }

  /// Names in their order, the first 20 if there are more.
  private func shown(_ names: [String]) -> String {
    names.prefix(20).map(\.printable).joined(separator: ", ")
      + (names.count > 20 ? " and \(names.count - 20) more" : "")
  }

  /// What messages call a column: its name, and its number as a selection counts it.
  public func name(ofColumn c: Int) -> String {
    header.isEmpty || header[c].isEmpty
      ? "column #\(c)" : "column \(header[c].printable) (#\(c))"
  }

  func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
}
