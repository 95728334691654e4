import ArgumentParser
import NeuralSheaves

/// The command line before it is parsed: mistakes are named with what was found, what was expected and what
/// was probably meant, and negative numbers are values.
struct CommandLineCheck {
  private let declared: Declarations
  /// What the options are of, such as `sheaf train`.
  private let command: String
  private let allowsHelp: Bool

  /// A check of the options of a command.
  ///
  /// - Parameter allowsHelp: whether `--help` and `--version` are for the parser to answer.
  init(_ type: any ParsableArguments.Type, of command: String, allowsHelp: Bool = true) {
    declared = Declarations(of: type)
    (self.command, self.allowsHelp) = (command, allowsHelp)
  }

  /// The arguments with every value joined to its option by `=`.
  ///
  /// - Throws: `ValidationError` for an unknown option, one without a value, with a value that it does not take
  ///   or given twice, and for arguments beyond those expected.
  func joined(_ words: [String]) throws -> [String] {
    var result: [String] = []
    var given: [String: String] = [:]
    var positional: [String] = []
    var i = 0
    while i < words.count {
      let word = words[i]
      i += 1
      if word == "--" {
        positional += words[i...]
        result += [word] + words[i...]
        break
      }
      guard word.hasPrefix("-"), word.count > 1, Double(word) == nil else {
        positional.append(word)
        result.append(word)
        continue
      }
      if allowsHelp && ["--help", "-h", "--version"].contains(word) { return [word] }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let option = try option(String(parts[0]))
      let label = "--\(option.name)"
      if option.isFlag {
        guard parts.count == 1 else {
          throw ValidationError("\(label) takes no value, found \"\(parts[1])\"")
        }
        result.append(word)
        continue
      }
      let value: String
      if parts.count == 2 {
        value = String(parts[1])
      } else {
        guard i < words.count, !isOption(words[i]) else {
          throw ValidationError(
            "\(label): no value, found "
              + (i < words.count ? "the option \(words[i])" : "the end of the line"))
        }
        value = words[i]
        i += 1
      }
      if let first = given[option.name], !option.isRepeatable {
        throw ValidationError(
          "\(label) is given twice, \(first) and \(value): expected it once")
      }
      given[option.name] = value
      try check(value, of: option)
      result.append("\(label)=\(value)")
    }
    try checkCount(positional)
    return result
  }

  /// Whether a word is an option and not the value of one, such as a negative number or a file's name.
  private func isOption(_ word: String) -> Bool {
    word.hasPrefix("--") && Double(word.dropFirst()) == nil || ["-h", "--"].contains(word)
  }

  private func option(_ word: String) throws -> Declarations.Named {
    let name = String(word.drop { $0 == "-" })
    if word.hasPrefix("--"), let option = declared.option(name) { return option }
    let near =
      declared.option(name)?.name
      ?? name.meant(of: declared.options.map(\.name) + ["help", "version"])
    throw ValidationError(
      "\(command) has no option \(word)"
        + (near.map { "; did you mean --\($0)?" } ?? "; sheaf SUBCOMMAND --help lists those it has")
    )
  }

  private func check(_ value: String, of option: Declarations.Named) throws {
    guard let type = option.type as? any ExpressibleByArgument.Type, !type.accepts(value) else {
      return
    }
    let label = "--\(option.name) \(value)"
    let names = type.allValueStrings
    if !names.isEmpty {
      let near = value.meant(of: names)
      throw ValidationError(
        "\(label): expected \(names.choice)" + (near.map { "; did you mean \($0)?" } ?? ""))
    }
    switch option.type {
    case is Double.Type: throw ValidationError("\(label): expected \(value.numberExpected)")
    case is Int.Type: throw ValidationError("\(label): expected a whole number")
    case is any UnsignedInteger.Type:
      throw ValidationError("\(label): expected a whole number, 0 or more")
    default: throw ValidationError("\(label): not a value that the option takes")
    }
  }

  private func checkCount(_ positional: [String]) throws {
    let expected = declared.arguments.map { $0.uppercased() }
    if positional.count > expected.count && !declared.takesRest {
      let extra = positional[expected.count]
      throw ValidationError(
        "\(command): unexpected argument \"\(extra)\", expected "
          + (expected.isEmpty ? "options only" : "\(expected.joined(separator: " ")) and options"))
    }
    if positional.count < expected.count {
      throw ValidationError("\(command): no \(expected[positional.count])")
    }
  }
}

extension ExpressibleByArgument {
  fileprivate static func accepts(_ text: String) -> Bool { Self(argument: text) != nil }
}

extension [String] {
  /// "a, b or c".
  var choice: String {
    count < 2 ? joined() : dropLast().joined(separator: ", ") + " or \(last!)"
  }
}

extension String {
  /// The name that was probably meant: the nearest, or one that this begins or that begins this.
  func meant(of names: [String]) -> String? {
    nearest(among: names)
      ?? names.first { count > 2 && ($0.hasPrefix(self) || $0.count > 2 && hasPrefix($0)) }
  }

  /// What to expect where this is not a number.
  var numberExpected: String {
    let pointed = replacingOccurrences(of: ",", with: ".")
    return contains(",") && Double(pointed) != nil
      ? "a number with a decimal point, such as \(pointed)" : "a number"
  }
}
