import LinearAlgebra
import NeuralSheaves

/// All that a training run needs to go on as if it had never stopped: arrays and whole numbers by
/// name.
public struct TrainingState: Sendable, Equatable {
  /// Parameters, moments, stalks.
  public var arrays: [String: Matrix] = [:]
  /// Counters, the state of the generator, orders of samples.
  public var numbers: [String: [UInt64]] = [:]
  /// Texts, such as the history so far.
  public var texts: [String: String] = [:]

  /// An empty state.
  public init() {}

  mutating func save(_ lists: [[Matrix]], named name: String) {
    for (e, list) in lists.enumerated() {
      for (i, m) in list.enumerated() { arrays["\(name).\(e).\(i)"] = m }
    }
  }

  mutating func save(_ network: Network, named name: String) {
    save(network.edges.map { $0.operation.parameters }, named: name)
  }

  func array(_ name: String, rows: Int, columns: Int) throws(TrainingError) -> Matrix {
    guard let m = arrays[name] else {
      throw .checkpoint("array \(name) is missing, expected one of shape (\(rows), \(columns))")
    }
    guard m.rows == rows && m.columns == columns else {
      throw .checkpoint("array \(name) has shape \(m.shape), expected (\(rows), \(columns))")
    }
    return m
  }

  func restore(_ lists: inout [[Matrix]], named name: String) throws(TrainingError) {
    for e in lists.indices {
      for i in lists[e].indices {
        lists[e][i] = try array(
          "\(name).\(e).\(i)", rows: lists[e][i].rows, columns: lists[e][i].columns)
      }
    }
  }

  func restore(_ network: inout Network, named name: String) throws(TrainingError) {
    var parameters = network.edges.map { $0.operation.parameters }
    try restore(&parameters, named: name)
    for e in parameters.indices where !parameters[e].isEmpty {
      network.updateParameters(of: e) { i, w in w = parameters[e][i] }
    }
  }

  func list(_ name: String) throws(TrainingError) -> [UInt64] {
    guard let list = numbers[name] else { throw .checkpoint("the numbers \(name) are missing") }
    return list
  }

  func integer(_ name: String) throws(TrainingError) -> Int {
    let list = try list(name)
    guard list.count == 1, let n = Int(exactly: list[0]), n < 1 << 53 else {
      throw .checkpoint("\(name) is \(list), expected one number below 2⁵³")
    }
    return n
  }

  func generator(_ name: String) throws(TrainingError) -> RandomGenerator {
    let list = try list(name)
    guard list.count == 4, list.contains(where: { $0 != 0 }) else {
      throw .checkpoint("\(name) has \(list.count) numbers, expected 4, not all 0")
    }
    return RandomGenerator(state: list)
  }

  /// An order of some of `count` samples.
  func order(_ name: String, of count: Int) throws(TrainingError) -> [Int] {
    let list = try list(name).map { Int(truncatingIfNeeded: $0) }
    guard list.allSatisfy({ (0..<count).contains($0) }), Set(list).count == list.count else {
      throw .checkpoint("\(name) is no order of \(count) samples")
    }
    return list
  }
}
