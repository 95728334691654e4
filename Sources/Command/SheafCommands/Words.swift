import ArgumentParser

/// A number with its noun: "1 cell", "2 cells".
func counted(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }

extension String {
  /// The words of a line as a shell parts them: at spaces, but for those between quotes, which go.
  ///
  /// - Throws: `ValidationError` for a quote without its other half.
  func words() throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for letter in self {
      if let open = quote {
        if letter == open { quote = nil } else { word?.append(letter) }
      } else if letter == "\"" || letter == "'" {
        quote = letter
        word = word ?? ""
      } else if letter.isWhitespace {
        if let ended = word { words.append(ended) }
        word = nil
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    if let quote { throw ValidationError("\(self): a \(quote) without its other half") }
    return words + (word.map { [$0] } ?? [])
  }
}
