import ArrayFiles
import Figures

/// The results of a call on their way to files and standard output. One that cannot be written does not keep
/// the others back: all that went wrong is told at the end.
struct Delivery {
  private var problems: [String] = []

  /// From here on signals do not end the call: nothing is left half-written.
  init() { Signals.hold() }

  /// Whether all was written so far.
  var isWhole: Bool { problems.isEmpty }

  /// Writes something.
  mutating func put(_ write: () throws -> Void) {
    do { try write() } catch { problems.append("\(error)") }
  }

  /// Prints text on standard output.
  mutating func print(_ text: String) {
    put { try StandardStreams.print(text) }
  }

  /// Draws a figure into a file, in the format that its ending names; `CallFiles.writes` has looked at that.
  mutating func draw(_ figure: @autoclosure () throws -> Figure, to path: String) {
    put {
      let format = DrawingFormat(rawValue: String(path.lowercased().suffix(3)))!
      try ArrayFile.write(try figure().drawn(as: format), to: path)
    }
  }

  /// Ends the call: with one line for what the work failed in and what could not be written.
  func end(_ failure: WorkFailure? = nil) throws(WorkFailure) {
    let all = (failure.map { [$0.description] } ?? []) + problems
    guard all.isEmpty else { throw WorkFailure(description: all.joined(separator: "; ")) }
  }
}
