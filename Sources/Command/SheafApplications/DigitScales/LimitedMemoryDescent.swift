import Foundation

/// The method of Broyden, Fletcher, Goldfarb and Shanno with a memory of ten steps (Nocedal 1980) and Armijo's rule.
enum LimitedMemoryDescent {
  /// A place where a function is nearly least.
  ///
  /// It ends after so many steps, or when the function falls by less than 2·10⁻⁹ of its size, or the gradient is below 10⁻⁵.
  ///
  /// - Parameter function: value and gradient; nil where there is none.
  static func least(
    from start: [Double], steps: Int, _ function: ([Double]) -> (value: Double, gradient: [Double])?
  ) -> [Double] {
    var x = start
    guard var (value, gradient) = function(x) else { return x }
    var memory: [(s: [Double], y: [Double], curvature: Double)] = []
    for _ in 0..<steps {
      if gradient.allSatisfy({ abs($0) < 1e-5 }) { break }
      let direction = direction(gradient, memory)
      let slope = product(direction, gradient)
      var t = memory.isEmpty ? min(1, 1 / product(gradient, gradient).squareRoot()) : 1
      var next = function(moved(x, direction, t))
      while t > 1e-12, !(next.map { $0.value <= value + 1e-4 * t * slope } ?? false) {
        t /= 2
        next = function(moved(x, direction, t))
      }
      guard let next, next.value < value else { break }
      let s = direction.map { t * $0 }
      let y = zip(next.gradient, gradient).map { $0 - $1 }
      let curvature = product(s, y)
      if curvature > 1e-12 * product(y, y) { memory.append((s, y, curvature)) }
      if memory.count > 10 { memory.removeFirst() }
      let fall = value - next.value
      x = moved(x, direction, t)
      (value, gradient) = next
      if fall < 2e-9 * max(abs(value), 1) { break }
    }
    return x
  }

  /// −H g by the two loops.
  private static func direction(
    _ gradient: [Double], _ memory: [(s: [Double], y: [Double], curvature: Double)]
  ) -> [Double] {
    var q = gradient.map { -$0 }
    var factors: [Double] = []
    for step in memory.reversed() {
      let factor = product(step.s, q) / step.curvature
      q = moved(q, step.y, -factor)
      factors.append(factor)
    }
    if let last = memory.last {
      let scale = last.curvature / product(last.y, last.y)
      q = q.map { scale * $0 }
    }
    for (step, factor) in zip(memory, factors.reversed()) {
      q = moved(q, step.s, factor - product(step.y, q) / step.curvature)
    }
    return q
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }

  private static func moved(_ x: [Double], _ d: [Double], _ t: Double) -> [Double] {
    zip(x, d).map { $0 + t * $1 }
  }
}
