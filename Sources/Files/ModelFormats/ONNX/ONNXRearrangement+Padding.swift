import ArrayFiles

/// Padding, or cropping where a number is negative.
extension ONNXRearrangement {
  /// Before operator set 11 pads and value are attributes.
  func pad() throws(ArrayFileError) -> ONNXShapes.Result {
    guard let pads = try integers(0, "pads") else { throw node.failure("expected constant pads") }
    var fill = try node.real("value") ?? 0
    if parameters.count > 1, let value = parameters[1] {
      guard value.count == 1, value.alternative == nil else {
        throw node.failure("expected a single number as value, found shape \(value.shape)")
      }
      fill = value.reals[0]
    }
    guard fill.isFinite else { throw node.failure("pads with \(fill), expected a finite number") }
    var axes = Array(0..<rank)
    if let given = try integers(2, "axes") {
      axes = []
      for a in given { axes.append(try node.axis(a, rank: rank)) }
    }
    guard pads.count == 2 * axes.count else {
      throw node.failure("\(pads.count) pads, expected \(2 * axes.count)")
    }
    let mode = try node.text("mode") ?? "constant"
    var result = view()
    for (k, axis) in axes.enumerated() {
      let (before, after) = (pads[k], pads[k + axes.count])
      if before == 0 && after == 0 { continue }
      let axis = try sampleAxis(axis)
      let n = result.shape[axis]
      guard abs(before) <= 1 << 20, abs(after) <= 1 << 20, n + before + after >= 0 else {
        throw node.failure("pads \(n) by \(before) and \(after)")
      }
      // What is wrapped is the axis before the cut or after it, as runtimes will.
      guard mode != "wrap" || before.signum() * after.signum() >= 0 else {
        throw node.failure(
          "mode wrap by \(before) and \(after) on one axis, which runtimes read in several ways; "
            + "expected pads of one sign (crop by a Slice)")
      }
      var positions: [Int] = []
      for p in -before..<n + after {
        guard let position = position(p, of: n, mode) else {
          throw node.failure(
            "mode \"\(mode.printable)\" by \(before) and \(after) on an axis of \(n); expected "
              + "constant, edge, reflect or wrap, and an axis long enough")
        }
        positions.append(position)
      }
      result = try gathered(result, axis: axis, positions)
    }
    return chosen(result, fill: fill)
  }

  /// The position on an axis of n that stands at p, negative for a constant; nil if there is none.
  private func position(_ p: Int, of n: Int, _ mode: String) -> Int? {
    switch mode {
    case "constant": (0..<n).contains(p) ? p : -1
    case "edge" where n > 0: min(max(p, 0), n - 1)
    case "reflect" where p > -n && p < 2 * n - 1: p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p
    case "wrap" where n > 0: (p % n + n) % n
    default: nil
    }
  }
}
