import Foundation

/// Measures the rate −d/dt log f at which a force dies out, over the last part of a run.
///
/// It keeps the last moments at which the force had halved once more; a switch of branch forgets them. The
/// rate is that between the first moment kept and the last: over at most a factor 2⁷ of decay, at least 4.
struct DecayMeter {
  private var moments = [(time: Double, force: Double)](repeating: (0, 0), count: 8)
  private var count = 0

  /// The force at a time; `switched` says that a coordinate switched branch since the last.
  mutating func note(_ force: Double, at time: Double, switched: Bool) {
    if switched { count = 0 }
    guard force > 0, force.isFinite else { return }
    if count > 0 && 2 * force > moments[count - 1].force { return }
    if count == moments.count {
      for i in 1..<count { moments[i - 1] = moments[i] }
      count -= 1
    }
    moments[count] = (time, force)
    count += 1
  }

  /// The rate; nil where the force has not fallen fourfold.
  var rate: Double? {
    guard count >= 3 else { return nil }
    let (first, last) = (moments[0], moments[count - 1])
    return log(first.force / last.force) / (last.time - first.time)
  }
}
