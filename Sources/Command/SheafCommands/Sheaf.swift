import ArgumentParser
import Foundation
import NeuralSheaves

/// The command `sheaf`.
public struct Sheaf: ParsableCommand {
  /// The subcommands and their description.
  public static let configuration = CommandConfiguration(
    commandName: "sheaf",
    abstract: "Neural networks as cellular sheaves.",
    discussion: """
      Exit status: 0 done (and converged, where something converges); 1 the work failed or did not \
      converge, a file cannot be read or written, or the call was interrupted or ran out of time: what was \
      computed is still printed and written; 64 bad usage.
      """,
    version: Version.number,
    subcommands: [
      Inspect.self, Forward.self, Flow.self, Equilibrate.self, Spectrum.self, StiffnessCommand.self,
      Locate.self, Diagnose.self, Train.self,
      Reproduce.self, Check.self, Cohomology.self, Laplacian.self, Harmonic.self, Sections.self,
      ConsistencyCommand.self, Fuse.self, Smooth.self, AnomaliesCommand.self, Diffuse.self,
      Learn.self, Persistence.self, Coarsen.self, Wavelets.self,
      ExampleCommand.self,
      Compare.self, Init.self, Convert.self, Demo.self, Manual.self,
    ])

  /// The root command.
  public init() {}

  /// Parses the command line, runs the subcommand and exits with the contract's status. Every
  /// failure is one line `error: …` on standard error.
  public static func runAndExit() -> Never {
    StandardStreams.open()
    Signals.install()
    do {
      var command = try parseAsRoot(checked(Array(CommandLine.arguments.dropFirst())))
      try command.run()
      Foundation.exit(0)
    } catch {
      Foundation.exit(status(of: error))
    }
  }

  /// Says what is to be said of an error; the exit status.
  private static func status(of error: any Error) -> Int32 {
    guard exitCode(for: error) != .success else {  // --help, --version
      do { try StandardStreams.print(fullMessage(for: error)) } catch { return status(of: error) }
      return 0
    }
    let isUsage = exitCode(for: error) == .validationFailure
    let text = isUsage ? message(for: error) : "\(error)"
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    // Over a progress bar, if there is one.
    let start = StandardStreams.errorIsTerminal ? "\r\u{1B}[K" : ""
    StandardStreams.note("\(start)error: \(line)\n")
    return isUsage ? 64 : 1
  }

  /// The command line, its mistakes named, with the settings of a checkpoint that it goes on from.
  private static func checked(_ words: [String]) throws -> [String] {
    guard let first = words.first else { return words }
    let names = configuration.subcommands.map { $0._commandName }
    guard let type = configuration.subcommands.first(where: { $0._commandName == first }) else {
      let isBuiltIn =
        ["help", "-h", "--help", "--version"].contains(first)
        || first.hasPrefix("--generate-completion-script") || first.hasPrefix("--experimental-")
        || first.hasPrefix("---")
      guard !isBuiltIn else { return words }
      if first.hasPrefix("-") {
        throw ValidationError("\(first): expected a subcommand first, \(names.choice)")
      }
      throw ValidationError(
        "\(first): no such subcommand, expected \(names.choice)"
          + (first.meant(of: names).map { "; did you mean \($0)?" } ?? ""))
    }
    let rest = try CommandLineCheck(type, of: "sheaf \(first)").joined(Array(words.dropFirst()))
    return try Train.completed([first] + rest)
  }
}

/// Work that was done but did not end well; what was computed has been printed.
struct WorkFailure: Error, CustomStringConvertible {
  let description: String
}
