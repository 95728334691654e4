import Foundation

/// The command's page for `man`, in the mdoc language.
enum ManualPage {
  static func text(_ sheaf: CommandDescription) -> String {
    var lines = [
      ".Dd", ".Dt SHEAF 1", ".Os", ".Sh NAME", ".Nm sheaf",
      ".Nd \(escaped((sheaf.abstract ?? "").trimmingFullStop))", ".Sh SYNOPSIS", ".Nm sheaf",
      ".Ar subcommand", ".Op Ar options", ".Sh DESCRIPTION",
    ]
    lines += paragraph(sheaf.discussion)
    lines += [".Sh SUBCOMMANDS"]
    for command in sheaf.shownSubcommands { lines += section(command) }
    lines += [
      ".Sh EXIT STATUS", ".Bl -tag -width 64n -compact",
      ".It 0", "Done, and converged where something converges.",
      ".It 1",
      "The work failed, was interrupted or did not converge; what was computed is printed.",
      ".It 64", "Bad usage.", ".El",
    ]
    return lines.joined(separator: "\n")
  }

  private static func section(_ command: CommandDescription) -> [String] {
    var lines = [".Ss sheaf \(command.commandName)", escaped(command.abstract ?? "")]
    lines += paragraph(command.discussion)
    guard !command.shownArguments.isEmpty else { return lines }
    lines.append(".Bl -tag -width 6n")
    for argument in command.shownArguments {
      lines += [".It \(escaped(argument.usage))", escaped(argument.meaning)]
    }
    return lines + [".El"]
  }

  /// Paragraphs as they are broken: lines stay lines, since examples are among them.
  private static func paragraph(_ text: String?) -> [String] {
    guard let text, !text.isEmpty else { return [] }
    return text.components(separatedBy: "\n\n").flatMap { paragraph in
      let lines = paragraph.split(separator: "\n").map { escaped(String($0)) }
      return [".Pp", lines.joined(separator: "\n.br\n")]
    }
  }

  /// Text in which nothing is taken for a request: backslashes, hyphens that are to stay hyphens,
  /// and lines that begin with a dot or an apostrophe.
  private static func escaped(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { line in
      let plain = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
      return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
