import LinearAlgebra

/// A linear map F_{σ ⊴ τ} : F(σ) → F(τ) between two stalks.
public enum RestrictionMap: Sendable, Equatable {
  /// The identity of stalks of one dimension.
  case identity
  /// A multiple of the identity.
  case scalar(Double)
  /// Any matrix, (dim F(τ), dim F(σ)).
  case matrix(Matrix)
  /// One with few entries, of the same shape.
  case sparse(SparseMatrix)

  /// The shape, nil for the maps that go with any stalk.
  public var shape: (rows: Int, columns: Int)? {
    switch self {
    case .identity, .scalar: nil
    case .matrix(let m): (m.rows, m.columns)
    case .sparse(let m): (m.rows, m.columns)
    }
  }

  /// The matrix, for stalks of dimension n where the map goes with any.
  public func dense(_ n: Int) -> Matrix {
    switch self {
    case .identity: .identity(n)
    case .scalar(let s): .diagonal([Double](repeating: s, count: n))
    case .matrix(let m): m
    case .sparse(let m): m.dense
    }
  }

  /// The multiple of the identity that it is, if it is one.
  var factor: Double? {
    switch self {
    case .identity: 1
    case .scalar(let s): s
    case .matrix, .sparse: nil
    }
  }

  /// The Frobenius norm, or the factor's magnitude.
  var norm: Double {
    switch self {
    case .identity: 1
    case .scalar(let s): abs(s)
    case .matrix(let m): m.sumOfSquares.squareRoot()
    case .sparse(let m): m.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// Whether all entries are finite.
  var isFinite: Bool {
    switch self {
    case .identity: true
    case .scalar(let s): s.isFinite
    case .matrix(let m): m.firstNonFinite == nil
    case .sparse(let m): m.values.allSatisfy(\.isFinite)
    }
  }

  /// First `other`, then this.
  public func after(_ other: RestrictionMap) -> RestrictionMap {
    switch (self, other) {
    case (.identity, _): other
    case (_, .identity): self
    case (.scalar(let s), _): other.scaled(by: s)
    case (_, .scalar(let s)): scaled(by: s)
    case (.matrix(let a), .matrix(let b)): .matrix(a * b)
    case (_, .matrix(let b)): .matrix(dense(0) * b)
    case (_, .sparse(let b)): .matrix(dense(0) * b.dense)
    }
  }

  /// The map times a number.
  public func scaled(by s: Double) -> RestrictionMap {
    switch self {
    case .identity: s == 1 ? .identity : .scalar(s)
    case .scalar(let t): .scalar(s * t)
    case .matrix(var m):
      {
        m.scale(by: s)
        return .matrix(m)
      }()
    case .sparse(let m): .sparse(m.mapValues { s * $0 })
    }
  }
}

/// The restriction maps of all incidences: multiples of the identity once, matrices once for each place of the table, their
/// entries in one buffer.
struct RestrictionMaps: Sendable {
  /// A map of the table.
  enum Entry {
    case scalar(Double)
    /// Column-major from a place in the buffer on.
    case matrix(start: Int, rows: Int, columns: Int)
    /// The place in the list of transposes.
    case sparse(Int)
  }

  private(set) var table: [Entry] = []
  private(set) var buffer: [Double] = []
  /// Matrices with few entries, transposed: by rows.
  private(set) var transposes: [SparseMatrix] = []
  /// The map of each incidence.
  private(set) var places: [Int32] = []
  private var scalars: [Double: Int32] = [:]

  init() {}

  /// Adds a map to the table; its place. Multiples of the identity are there once.
  mutating func place(of map: RestrictionMap) -> Int32 {
    let entry: Entry
    switch map {
    case .identity: return place(ofScalar: 1)
    case .scalar(let s): return place(ofScalar: s)
    case .matrix(let m):
      entry = .matrix(start: buffer.count, rows: m.rows, columns: m.columns)
      buffer += m.elements
    case .sparse(let m):
      entry = .sparse(transposes.count)
      transposes.append(m.transposed)
    }
    table.append(entry)
    return Int32(table.count - 1)
  }

  private mutating func place(ofScalar s: Double) -> Int32 {
    if let known = scalars[s] { return known }
    table.append(.scalar(s))
    // Distinct factors by the million need no looking up.
    if scalars.count < 1000 { scalars[s] = Int32(table.count - 1) }
    return Int32(table.count - 1)
  }

  /// Gives the next incidence the map at a place of the table.
  mutating func append(_ place: Int32) { places.append(place) }

  /// Keeps the maps of some incidences, in their order.
  mutating func choose(_ incidences: [Int]) { places = incidences.map { places[$0] } }

  mutating func reserve(_ incidences: Int) { places.reserveCapacity(incidences) }

  /// The map of an incidence.
  subscript(incidence: Int) -> RestrictionMap {
    switch table[Int(places[incidence])] {
    case .scalar(let s): s == 1 ? .identity : .scalar(s)
    case .matrix(let start, let rows, let columns):
      .matrix(
        Matrix(
          rows: rows, columns: columns,
          columnMajor: Array(buffer[start..<start + rows * columns])))
    case .sparse(let i): .sparse(transposes[i].transposed)
    }
  }
}
