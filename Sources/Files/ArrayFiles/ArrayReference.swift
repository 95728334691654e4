import Foundation

/// Where an array is: `path`, `path#part`, `path@a:b` or `path@a:b#part`.
///
/// The part is an array's name or columns of a table, `@a:b` are rows from a until before b, counted
/// from 0. The path is the longest beginning, up to the end, a `#` or an `@`, at which there is a file;
/// so names of files may have these characters. `-` is standard input.
public struct ArrayReference: Sendable, Equatable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// The ends of a range of rows as they were given; nil for all rows.
  public let rows: RowRange?
  /// What follows the `#`.
  public let part: String?
  /// The reference as it was given.
  public let description: String

  /// A range of rows, either end open.
  public struct RowRange: Sendable, Equatable {
    /// The first row; nil for that of the file.
    public let lower: Int?
    /// The row after the last; nil for the file's end.
    public let upper: Int?

    /// The range that `a:b` names; nil if it names none.
    init?(_ text: some StringProtocol) {
      let ends = text.split(separator: ":", omittingEmptySubsequences: false)
      guard ends.count == 2 else { return nil }
      var numbers: [Int?] = []
      for end in ends {
        guard let n = end.isEmpty ? .some(nil) : Int(end).map(Optional.some), n ?? 0 >= 0 else {
          return nil
        }
        numbers.append(n)
      }
      (lower, upper) = (numbers[0], numbers[1])
    }

    /// The rows among `count`; nil if there are none, or not so many.
    func resolved(of count: Int) -> Range<Int>? {
      let (a, b) = (lower ?? 0, upper ?? count)
      return a < b && b <= count ? a..<b : nil
    }
  }

  /// Takes a reference apart; whether there is a file decides what its path is.
  public init(_ text: String) {
    description = text
    let marks = text.indices.filter { text[$0] == "#" || text[$0] == "@" } + [text.endIndex]
    let end = marks.reversed().first { Self.isFile(String(text[..<$0])) }
    if let end, let (rows, part) = Self.split(text[end...]) {
      (path, self.rows, self.part) = (String(text[..<end]), rows, part)
      return
    }
    // There is no such file: errors are to name the likeliest.
    let hash = text.lastIndex(of: "#") ?? text.endIndex
    let at = text[..<hash].lastIndex(of: "@")
    let range = at.flatMap { RowRange(text[text.index(after: $0)..<hash]) }
    path = String(range == nil ? text[..<hash] : text[..<at!])
    rows = range
    part = hash < text.endIndex ? String(text[text.index(after: hash)...]) : nil
  }

  private static func isFile(_ path: String) -> Bool {
    path == "-" || FileManager.default.fileExists(atPath: path)
  }

  /// The rows and the part that follow a path; nil if they are malformed.
  private static func split(_ tail: Substring) -> (RowRange?, String?)? {
    let hash = tail.firstIndex(of: "#") ?? tail.endIndex
    let part = hash < tail.endIndex ? String(tail[tail.index(after: hash)...]) : nil
    if hash == tail.startIndex { return (nil, part) }
    guard tail.first == "@", let rows = RowRange(tail[..<hash].dropFirst()) else { return nil }
    return (rows, part)
  }
}
