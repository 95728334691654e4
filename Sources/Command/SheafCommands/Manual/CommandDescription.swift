import ArgumentParser
import Foundation

/// A command with its options and subcommands, as ArgumentParser describes them.
struct CommandDescription: Decodable {
  /// An option, a flag or a positional argument.
  struct Argument: Decodable {
    enum Kind: String, Decodable { case option, flag, positional }

    struct Name: Decodable {
      let kind: String
      let name: String
    }

    let kind: Kind
    let preferredName: Name?
    let valueName: String?
    let abstract: String?
    let discussion: String?
    let isRepeating: Bool
    let shouldDisplay: Bool
    let defaultValue: String?
    let allValues: [String]?

    /// `--input <input>`, `--json` or `<network>`.
    var usage: String {
      let value = "<\(valueName ?? "value")>"
      switch (kind, preferredName) {
      case (.positional, _), (_, nil): return value
      case (.flag, let name?): return (name.kind == "short" ? "-" : "--") + name.name
      case (.option, let name?):
        return (name.kind == "short" ? "-" : "--") + name.name + " " + value
      }
    }

    /// What it does, its values where they are a list, and its default.
    var meaning: String {
      var parts = [abstract, discussion].compactMap(\.self)
      // Where the text names the values it says what they mean.
      if let allValues, !allValues.allSatisfy({ parts.joined().contains($0) }) {
        parts.append("One of \(allValues.joined(separator: ", ")).")
      }
      if let defaultValue { parts.append("Default \(defaultValue).") }
      return parts.joined(separator: " ")
    }
  }

  let commandName: String
  let abstract: String?
  let discussion: String?
  let shouldDisplay: Bool
  let arguments: [Argument]?
  let subcommands: [CommandDescription]?

  /// The arguments that help shows, without `--help` itself.
  var shownArguments: [Argument] {
    (arguments ?? []).filter { $0.shouldDisplay && $0.preferredName?.name != "help" }
  }

  /// The subcommands that help shows, without `help` itself.
  var shownSubcommands: [CommandDescription] {
    (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
  }

  /// The whole command.
  static func ofSheaf() throws -> CommandDescription {
    struct Description: Decodable { let command: CommandDescription }
    return try JSONDecoder().decode(Description.self, from: Data(Sheaf._dumpHelp().utf8)).command
  }
}
