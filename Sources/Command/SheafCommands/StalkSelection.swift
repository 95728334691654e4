import ArgumentParser

/// `STALK` or `STALK[i,j,k:l]`: coordinates of a stalk as options name them.
struct StalkSelection {
  /// The option that it stands in, for errors.
  let option: String
  let stalk: String
  private let words: [Substring]?

  init(_ text: Substring, in option: String) throws {
    self.option = option
    let text = text.trimmed
    guard let open = text.firstIndex(of: "[") else {
      stalk = String(text)
      words = nil
      return
    }
    guard text.last == "]" else {
      throw ValidationError("\(option): no \"]\", expected STALK[i,j,k:l]")
    }
    stalk = String(text[..<open].trimmed)
    words = text[text.index(after: open)...].dropLast()
      .split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
  }

  /// The coordinates named, all of them where there are no brackets.
  func coordinates(of dimension: Int) throws -> [Int] {
    guard let words else { return Array(0..<dimension) }
    var result: [Int] = []
    var seen = Set<Int>()
    func outside(_ range: String) -> ValidationError {
      ValidationError(
        "\(option): \(range) is outside \(stalk), whose coordinates are 0:\(dimension)")
    }
    for word in words {
      let ends = word.split(separator: ":", omittingEmptySubsequences: false)
      let range: Range<Int>
      if ends.count == 1, let i = Int(word) {
        guard (0..<dimension).contains(i) else { throw outside("\(i)") }
        range = i..<i + 1
      } else if ends.count == 2, let a = ends[0].isEmpty ? 0 : Int(ends[0]),
        let b = ends[1].isEmpty ? dimension : Int(ends[1]), a < b
      {
        guard 0 <= a, b <= dimension else { throw outside("\(a):\(b)") }
        range = a..<b
      } else {
        throw ValidationError("\(option): \"\(word)\" is neither an index nor a range a:b")
      }
      for i in range {
        guard seen.insert(i).inserted else {
          throw ValidationError(
            "\(option): \(stalk)[\(i)] is named twice, expected each coordinate once")
        }
        result.append(i)
      }
    }
    return result
  }
}

extension Substring {
  /// The text without spaces at its ends.
  var trimmed: Substring {
    let start = drop(while: \.isWhitespace)
    return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? start
  }
}
