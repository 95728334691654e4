/// The options of every subcommand as Markdown, for Docs/Reference.md.
enum OptionReference {
  static func text(_ sheaf: CommandDescription) -> String {
    sheaf.shownSubcommands.map(section).joined(separator: "\n\n")
  }

  private static func section(_ command: CommandDescription) -> String {
    var lines = ["### sheaf \(command.commandName)", "", command.abstract ?? ""]
    if let discussion = command.discussion, !discussion.isEmpty {
      lines += ["", "```text"] + [discussion] + ["```"]
    }
    lines += ["", "| option | meaning |", "|---|---|"]
    for argument in command.shownArguments {
      let repeats = argument.isRepeating ? " …" : ""
      let meaning = argument.meaning.split(whereSeparator: \.isNewline).joined(separator: " ")
        .replacing("|", with: "\\|")
      lines.append("| `\(argument.usage)`\(repeats) | \(meaning) |")
    }
    return lines.joined(separator: "\n")
  }
}
