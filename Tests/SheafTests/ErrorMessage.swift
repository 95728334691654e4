import Testing

/// The message of what `body` throws; fails if it does not throw.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    Issue.record("nothing was thrown")
    return ""
  } catch { return "\(error)" }
}
