import LinearAlgebra

/// A request to hold coordinates of a stalk at given values, or to pull them there.
public struct Pin: Sendable {
  /// How strongly a pin holds.
  public enum Strength: Sendable, Equatable {
    /// The coordinate becomes boundary: it has exactly the value.
    case hard
    /// The energy gains (γ/2)(c − t)².
    case soft(Double)
  }

  /// The vertex: an index of `network.vertices`, or `vertices.count` for a_{k+1}.
  public var vertex: Int
  /// The coordinates held, zero-based.
  public var coordinates: [Int]
  /// The values t, (coordinates, batch), or (coordinates, 1) for all samples alike.
  public var values: Matrix
  /// Hard or soft.
  public var strength: Strength
  /// What errors call it; nil for its place in the list.
  public var label: String?

  /// A pin on the given coordinates of a vertex.
  public init(
    vertex: Int, coordinates: [Int], values: Matrix, strength: Strength = .hard,
    label: String? = nil
  ) {
    self.vertex = vertex
    self.coordinates = coordinates
    self.values = values
    self.strength = strength
    self.label = label
  }

  /// The clamp: all of a_{k+1} held at targets, (n_{k+1}, batch).
  public static func clamp(_ target: Matrix, of network: Network, label: String? = nil) -> Pin {
    Pin(
      vertex: network.vertices.count, coordinates: Array(0..<network.outputDimension),
      values: target, label: label)
  }
}

/// Pins that cannot be honoured.
public enum PinError: Error, Equatable, CustomStringConvertible {
  /// An input of other than the network's dimension.
  case input(found: Int, expected: Int)
  /// A vertex that the network does not have.
  case vertex(index: Int, last: Int)
  /// A pin by its label and the value that it asks for.
  public struct Claim: Sendable, Equatable {
    /// The pin's label.
    public let pin: String
    /// The value.
    public let value: Double
  }

  /// A coordinate outside its stalk.
  case coordinate(stalk: String, index: Int, dimension: Int)
  /// A coordinate named twice in one pin.
  case duplicate(stalk: String, index: Int)
  /// Two hard pins that hold one coordinate at different values.
  case conflicting(stalk: String, index: Int, sample: Int, first: Claim, second: Claim)
  /// Values of the wrong shape.
  case values(stalk: String, found: String, expected: String)
  /// A value that is not finite.
  case notFinite(stalk: String, index: Int, sample: Int)
  /// A stiffness γ that is not positive and finite.
  case stiffness(stalk: String, found: Double)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .input(let found, let expected):
      "the input has \(found) coordinates, expected the network's \(expected)"
    case .vertex(let v, let last):
      "a pin on vertex \(v): expected 0 to \(last), the last being the output a_{k+1}"
    case .coordinate(let s, let i, let n):
      "pin \(s)[\(i)]: the stalk has coordinates 0 to \(n - 1)"
    case .duplicate(let s, let i): "pin \(s): coordinate \(i) is named twice"
    case .conflicting(let s, let i, let j, let a, let b):
      "two hard pins hold \(s)[\(i)] of sample \(j) at different values: \(a.pin) at \(a.value), "
        + "\(b.pin) at \(b.value); expected one value for each coordinate"
    case .values(let s, let found, let expected):
      "pin \(s): the values have shape \(found), expected \(expected)"
    case .notFinite(let s, let i, let j): "pin \(s)[\(i)]: the value of sample \(j) is not finite"
    case .stiffness(let s, let g): "soft pin \(s): γ = \(g), expected a positive finite number"
    }
  }
}

/// All pins of a problem, checked and sorted by vertex. The input is held unless a soft pin frees it.
///
/// Where a hard and a soft pin name one coordinate, the hard one holds it; the soft one's energy is then
/// a constant.
public struct Pins: Sendable {
  /// The pins on one vertex.
  struct OnVertex: Sendable {
    /// Rows that are boundary.
    var held: [Int] = []
    /// Values of the held rows, (held, batch).
    var values = Matrix(rows: 0, columns: 0)
    /// Soft pins: rows, values (rows, batch) and stiffness.
    var soft: [(rows: [Int], values: Matrix, stiffness: Double)] = []
  }

  /// By vertex; the last entry is that of a_{k+1}.
  var vertices: [OnVertex]
  private let dimensions: [Int]

  /// Checks pins against a network and a batch.
  ///
  /// - Parameters:
  ///   - pins: in any order; a hard pin on the input replaces its value, a soft one frees the
  ///     coordinates it names.
  ///   - freed: coordinates of the input that are free without a prior, unless a pin holds them.
  ///   - input: x, (n₀, batch).
  public init(
    _ pins: [Pin] = [], freeing freed: [Int] = [], network: Network, input: Matrix
  ) throws(PinError) {
    let names =
      network.vertices.map(\.name)
      + [network.outputActivation == .identity ? "output" : network.outputName]
    dimensions = network.vertices.map(\.dimension) + [network.outputDimension]
    let batch = input.columns
    guard input.rows == network.inputDimension else {
      throw .input(found: input.rows, expected: network.inputDimension)
    }
    // The held coordinates of each vertex with the pin that holds them and their values, by sample.
    var held = dimensions.map { _ in [Int: (pin: Int, values: [Double])]() }
    let label = { (p: Int) in pins[p].label ?? "pin \(p)" }
    if let i = freed.first(where: { !(0..<network.inputDimension).contains($0) }) {
      throw .coordinate(stalk: names[0], index: i, dimension: network.inputDimension)
    }
    var freed = Set(freed)
    vertices = dimensions.map { _ in OnVertex() }
    for (number, pin) in pins.enumerated() {
      guard names.indices.contains(pin.vertex) else {
        throw .vertex(index: pin.vertex, last: names.count - 1)
      }
      let (name, n) = (names[pin.vertex], dimensions[pin.vertex])
      var seen = Set<Int>()
      for i in pin.coordinates {
        guard i >= 0 && i < n else { throw .coordinate(stalk: name, index: i, dimension: n) }
        guard seen.insert(i).inserted else { throw .duplicate(stalk: name, index: i) }
      }
      guard pin.values.rows == pin.coordinates.count,
        pin.values.columns == batch || pin.values.columns == 1
      else {
        throw .values(
          stalk: name, found: pin.values.shape,
          expected: "(\(pin.coordinates.count) coordinates, \(batch) samples)")
      }
      if let (i, j) = pin.values.firstNonFinite {
        throw .notFinite(stalk: name, index: pin.coordinates[i], sample: j)
      }
      let values =
        pin.values.columns == batch
        ? pin.values : pin.values.columns([Int](repeating: 0, count: batch))
      switch pin.strength {
      case .soft(let stiffness):
        guard stiffness > 0 && stiffness.isFinite else {
          throw .stiffness(stalk: name, found: stiffness)
        }
        vertices[pin.vertex].soft.append((pin.coordinates, values, stiffness))
        if pin.vertex == 0 { freed.formUnion(pin.coordinates) }
      case .hard:
        for (p, i) in pin.coordinates.enumerated() {
          let row = (0..<batch).map { values[p, $0] }
          if let old = held[pin.vertex][i],
            let j = row.indices.first(where: { old.values[$0] != row[$0] })
          {
            throw .conflicting(
              stalk: name, index: i, sample: j,
              first: PinError.Claim(pin: label(old.pin), value: old.values[j]),
              second: PinError.Claim(pin: label(number), value: row[j]))
          }
          held[pin.vertex][i] = (number, row)
        }
      }
    }
    for v in dimensions.indices where batch > 0 {
      var rows = held[v].keys.sorted()
      if v == 0 {
        rows = (0..<network.inputDimension).filter { !freed.contains($0) || held[0][$0] != nil }
        // The input itself where it is wholly held: no copy.
        vertices[0].values =
          rows.count == input.rows ? input : input[rows: rows, columns: Array(0..<batch)]
      } else {
        vertices[v].values = Matrix(rows: rows.count, columns: batch)
      }
      vertices[v].held = rows
      guard !held[v].isEmpty else { continue }
      for (p, i) in rows.enumerated() {
        guard let row = held[v][i] else { continue }
        for j in 0..<batch { vertices[v].values[p, j] = row.values[j] }
      }
    }
  }

  /// Whether every coordinate of a vertex is held.
  public func holdsAll(of vertex: Int) -> Bool {
    vertices[vertex].held.count == dimensions[vertex]
  }

  /// The rows of a vertex that are held.
  public func held(_ vertex: Int) -> [Int] { vertices[vertex].held }

  /// The values of the held rows of a vertex, (held, batch).
  public func heldValues(_ vertex: Int) -> Matrix { vertices[vertex].values }

  /// The soft pins on a vertex: rows, values (rows, batch) and stiffness γ.
  public func soft(_ vertex: Int) -> [(rows: [Int], values: Matrix, stiffness: Double)] {
    vertices[vertex].soft
  }

  /// The pins of the samples in `range`.
  public func samples(_ range: Range<Int>) -> Pins { mapValues { $0.columns(range) } }

  /// The pins of the samples with the given indices.
  public func samples(_ indices: [Int]) -> Pins { mapValues { $0.columns(indices) } }

  private func mapValues(_ part: (Matrix) -> Matrix) -> Pins {
    var result = self
    for v in vertices.indices {
      result.vertices[v].values = part(vertices[v].values)
      result.vertices[v].soft = vertices[v].soft.map {
        ($0.rows, part($0.values), $0.stiffness)
      }
    }
    return result
  }

  /// These pins and one more that holds a coordinate of another vertex than the input at a value.
  package func holding(_ coordinate: Int, of vertex: Int, at value: Double) -> Pins {
    var result = self
    let old = vertices[vertex]
    guard let next = old.held.firstIndex(where: { $0 >= coordinate }) ?? .some(old.held.count),
      !old.held.contains(coordinate)
    else { return self }
    let batch = vertices[0].values.columns
    var values = Matrix(rows: old.held.count + 1, columns: batch, repeating: value)
    for p in old.held.indices {
      for j in 0..<batch { values[p < next ? p : p + 1, j] = old.values[p, j] }
    }
    result.vertices[vertex].held.insert(coordinate, at: next)
    result.vertices[vertex].values = values
    return result
  }

  /// Sets the held coordinates of one stalk.
  public func impose(on stalk: inout Matrix, vertex: Int) {
    let pins = vertices[vertex]
    for j in 0..<stalk.columns {
      for (p, i) in pins.held.enumerated() { stalk[i, j] = pins.values[p, j] }
    }
  }

  /// Sets the held coordinates of a state.
  public func impose(on state: inout SheafState) {
    for v in state.stalks.indices { impose(on: &state.stalks[v], vertex: v) }
    if state.output != nil { impose(on: &state.output!, vertex: state.stalks.count) }
  }

  /// Adds the soft pins' forces −γ(c − t), then sets the force on held coordinates to 0.
  public func addForces(vertex: Int, stalk: Matrix, into force: inout Matrix) {
    addSoftForces(vertex: vertex, stalk: stalk, into: &force)
    clear(vertex, &force)
  }

  /// Adds the soft pins' forces −γ(c − t), times a factor.
  public func addSoftForces(
    vertex: Int, stalk: Matrix, scale: Double = 1, into force: inout Matrix
  ) {
    for (rows, values, stiffness) in vertices[vertex].soft {
      for j in 0..<stalk.columns {
        for (p, i) in rows.enumerated() {
          force[i, j] -= scale * stiffness * (stalk[i, j] - values[p, j])
        }
      }
    }
  }

  /// Whether a vertex has any pin, held or soft.
  public func concern(_ vertex: Int) -> Bool {
    !vertices[vertex].held.isEmpty || !vertices[vertex].soft.isEmpty
  }

  /// Sets the held rows of a vector to 0.
  public func clear(_ vertex: Int, _ vector: inout Matrix) {
    for j in 0..<vector.columns {
      for i in vertices[vertex].held { vector[i, j] = 0 }
    }
  }

  /// y ← y + γ v on softly pinned coordinates: their share of the Hessian.
  public func addStiffness(_ vertex: Int, _ v: Matrix, into y: inout Matrix) {
    for (rows, _, stiffness) in vertices[vertex].soft {
      for j in 0..<v.columns {
        for i in rows { y[i, j] += stiffness * v[i, j] }
      }
    }
  }

  /// Σ (γ/2)(c − t)² over the soft pins and the batch.
  public func energy(_ state: SheafState) -> Double {
    (0..<state.batch).reduce(0) { $0 + energy(state, sample: $1) }
  }

  /// Σ (γ/2)(c − t)² over the soft pins of sample j.
  public func energy(_ state: SheafState, sample j: Int) -> Double {
    var sum = 0.0
    for (v, pins) in vertices.enumerated() {
      guard let stalk = v < state.stalks.count ? state.stalks[v] : state.output else { continue }
      for (rows, values, stiffness) in pins.soft {
        for (p, i) in rows.enumerated() {
          let d = stalk[i, j] - values[p, j]
          sum += stiffness / 2 * d * d
        }
      }
    }
    return sum
  }
}
