import ArgumentParser
import Foundation

/// The command `sheaf`.
public struct Sheaf: ParsableCommand {
  /// The subcommands and their description.
  public static let configuration = CommandConfiguration(
    commandName: "sheaf",
    abstract: "Neural networks as cellular sheaves.",
    discussion: """
      Exit status: 0 done (and converged, where something converges); 1 the work failed or did not \
      converge; 64 bad usage.
      """,
    subcommands: [
      Inspect.self, Forward.self, Flow.self, Equilibrate.self, Train.self, Compare.self,
      Convert.self, Demo.self,
    ])

  /// The root command.
  public init() {}

  /// Parses the command line, runs the subcommand and exits with the contract's status. Every
  /// failure is one line `error: …` on standard error.
  public static func runAndExit() -> Never {
    do {
      var command = try parseAsRoot(Train.completed(Array(CommandLine.arguments.dropFirst())))
      try command.run()
      exit(withError: nil)
    } catch {
      if exitCode(for: error) == .success { exit(withError: error) }  // --help
      let isUsage = exitCode(for: error) == .validationFailure
      let text = isUsage ? message(for: error) : "\(error)"
      let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
      FileHandle.standardError.write(Data("error: \(line)\n".utf8))
      Foundation.exit(isUsage ? 64 : 1)
    }
  }
}

/// Work that was done but did not end well; what was computed has been printed.
struct WorkFailure: Error, CustomStringConvertible {
  let description: String
}
