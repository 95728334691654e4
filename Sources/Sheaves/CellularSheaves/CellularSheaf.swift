import CellComplexes
import LinearAlgebra

/// A cellular sheaf F on a cell complex: a stalk F(σ) = ℝ^{d_σ} for every cell, and for every incidence σ ⊴ τ a
/// restriction map F(σ) → F(τ) (Curry 2014; Hansen, Ghrist 2019, §3).
///
/// It is a functor from the face poset: the ways from a cell to another give one map, which `check` asks for. Cochains
/// of degree k are the vectors of C^k = ⊕ F(σ) over the cells of dimension k, in their order; they are kept in flat
/// buffers or columns of matrices, a cell's part being `range(of:)`. Each stalk has an inner product, the standard one
/// unless a weight is given.
///
/// Memory: 4 bytes for an incidence and 8 for a cell beside the complex; equal multiples of the identity and the
/// maps of a list once, other matrices for each incidence.
public struct CellularSheaf: Sendable {
  /// The base.
  public let complex: CellComplex
  /// Where the stalk of each cell begins in the sum of all of them.
  let starts: [Int]
  let maps: RestrictionMaps
  let products: InnerProducts

  /// A sheaf from parts that were checked.
  init(
    unchecked complex: CellComplex, starts: [Int], maps: RestrictionMaps, products: InnerProducts
  ) {
    (self.complex, self.starts, self.maps, self.products) = (complex, starts, maps, products)
  }

  /// A sheaf from its stalks and maps.
  ///
  /// - Parameters:
  ///   - stalks: d_σ for each cell, 0 included.
  ///   - weights: the inner product of each cell; the standard one everywhere if nil.
  ///   - map: the restriction map of an incidence, asked for once each, in order.
  /// - Throws: `shape`, `notFinite`, `weight`, and what `map` throws. Functoriality is what `check` is for.
  public init(
    _ complex: CellComplex, stalks: [Int], weights: [InnerProduct]? = nil,
    map: (_ incidence: Int) throws -> RestrictionMap
  ) throws {
    var maps = RestrictionMaps()
    maps.reserve(complex.incidenceCount)
    for incidence in 0..<complex.incidenceCount {
      let place = maps.place(of: try map(incidence))
      maps.append(place)
    }
    try self.init(complex, stalks: stalks, weights: weights, maps)
  }

  /// A sheaf whose maps are among a few.
  ///
  /// - Parameters:
  ///   - maps: the different ones.
  ///   - choice: the number of the map of each incidence.
  public init(
    _ complex: CellComplex, stalks: [Int], weights: [InnerProduct]? = nil, maps: [RestrictionMap],
    choice: [Int32]
  ) throws(SheafError) {
    precondition(choice.count == complex.incidenceCount, "\(choice.count) maps of incidences")
    var table = RestrictionMaps()
    let places = maps.map { table.place(of: $0) }
    table.reserve(choice.count)
    for number in choice { table.append(places[Int(number)]) }
    try self.init(complex, stalks: stalks, weights: weights, table)
  }

  private init(
    _ complex: CellComplex, stalks: [Int], weights: [InnerProduct]?, _ maps: RestrictionMaps
  ) throws(SheafError) {
    precondition(
      stalks.count == complex.count && weights?.count ?? stalks.count == stalks.count,
      "\(stalks.count) stalks and \(weights?.count ?? 0) weights of \(complex.count) cells")
    var starts = [0]
    starts.reserveCapacity(stalks.count + 1)
    for (cell, d) in stalks.enumerated() {
      guard d >= 0 else {
        throw .quantity(
          name: "the stalk of cell \"\(complex.name(cell))\"", found: "dimension \(d)",
          expected: "0 or more")
      }
      starts.append(starts[cell] + d)
    }
    self.init(
      unchecked: complex, starts: starts, maps: maps,
      products: weights.map { InnerProducts($0) } ?? InnerProducts())
    try checkMaps()
    for (cell, weight) in (weights ?? []).enumerated() {
      if let problem = weight.problem(on: stalks[cell]) {
        throw .weight(
          cell: complex.name(cell), found: problem.found, expected: problem.expected)
      }
    }
  }

  private func checkMaps() throws(SheafError) {
    let isFinite = maps.buffer.allSatisfy(\.isFinite)
    for cell in 0..<complex.count {
      let rows = stalk(of: cell)
      for i in complex.incidences(of: cell) {
        let columns = stalk(of: complex.face(i))
        let names = { (complex.name(cell), complex.name(complex.face(i))) }
        switch maps.table[Int(maps.places[i])] {
        case .scalar(let s):
          guard rows == columns else {
            throw .shape(
              cell: names().0, face: names().1, found: "of a multiple of the identity",
              expected: "(\(rows), \(columns)), the dimensions of the stalks")
          }
          guard s.isFinite else { throw .notFinite(cell: names().0, face: names().1) }
        case .matrix(_, let m, let n):
          try check(m, n, rows, columns, names)
          guard isFinite || maps[i].isFinite else {
            throw .notFinite(cell: names().0, face: names().1)
          }
        case .sparse(let t):
          try check(maps.transposes[t].columns, maps.transposes[t].rows, rows, columns, names)
          guard maps.transposes[t].values.allSatisfy(\.isFinite) else {
            throw .notFinite(cell: names().0, face: names().1)
          }
        }
      }
    }
  }

  private func check(
    _ m: Int, _ n: Int, _ rows: Int, _ columns: Int, _ names: () -> (String, String)
  ) throws(SheafError) {
    guard m == rows && n == columns else {
      throw .shape(
        cell: names().0, face: names().1, found: "(\(m), \(n))",
        expected: "(\(rows), \(columns)), the dimensions of the stalks")
    }
  }

  /// The dimension d_σ of a stalk.
  public func stalk(of cell: Int) -> Int { starts[cell + 1] - starts[cell] }

  /// The place of a cell's stalk in the cochains of its degree.
  public func range(of cell: Int) -> Range<Int> {
    let base = starts[complex.dimensionStarts[complex.dimension(of: cell)]]
    return starts[cell] - base..<starts[cell + 1] - base
  }

  /// dim C^k, 0 where there are no cells.
  public func cochainDimension(_ k: Int) -> Int {
    let cells = complex.cells(ofDimension: k)
    return cells.isEmpty ? 0 : starts[cells.upperBound] - starts[cells.lowerBound]
  }

  /// The coordinates of some cells in the cochains of their degree, in the order of the list.
  public func coordinates(_ cells: some Sequence<Int>) -> [Int] { cells.flatMap { range(of: $0) } }

  /// The restriction map of an incidence.
  public func map(_ incidence: Int) -> RestrictionMap { maps[incidence] }

  /// The inner product of a cell's stalk.
  public func innerProduct(of cell: Int) -> InnerProduct { products[cell] }

  /// Whether all stalks have the standard inner product.
  public var isUnweighted: Bool { products.areStandard }

  /// Σ (−1)ᵏ dim C^k = Σ (−1)ᵏ dim H^k.
  public var eulerCharacteristic: Int {
    (0..<max(complex.dimension + 1, 0)).reduce(0) {
      $0 + ($1 % 2 == 0 ? cochainDimension($1) : -cochainDimension($1))
    }
  }
}
