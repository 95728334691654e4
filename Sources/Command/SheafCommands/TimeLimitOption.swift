import ArgumentParser

/// How long a call may work.
struct TimeLimitOption: ParsableArguments {
  @Option(
    help: """
      End after so many seconds of work; what was computed by then is printed and written, with status \
      timeLimit.
      """) var timeLimit: Double?

  func validate() throws {
    guard let timeLimit, !(timeLimit > 0 && timeLimit.isFinite) else { return }
    throw ValidationError("--time-limit is \(timeLimit), expected a positive finite number")
  }
}
