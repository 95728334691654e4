/// One row of L with its spring: a linear function of predictions that is drawn to a value, C f + L du + r = 0.
struct Observation: Sendable {
  /// The cells that see it and the row whose level it belongs to, or −1.
  var cells: Int32 = -1
  var row: Int32 = -1
  /// The vertex and coordinate, with the slope there; a level's mean is subtracted.
  var vertex: Int32
  var index: Int32
  var slope = 1.0
  /// C > 0.
  var compliance: Double
  /// r.
  var residual: Double
  /// The same from model to model: what f is remembered by.
  var key: Key

  enum Key: Hashable {
    case held(Int)
    case spring(Int, pin: Int)
    case target(Int)
    case kink(read: Int)
    case level(read: Int)
  }
}
