import LinearAlgebra

/// A finite cell complex: cells of dimensions 0, 1, 2, … and, for each cell, its faces of one dimension less with
/// their incidence numbers [σ : τ] = ±1 (Massey, *A Basic Course in Algebraic Topology*, ch. IX; Curry 2014, §4).
///
/// Cells are numbered by dimension: those of dimension k are `cells(ofDimension: k)`. The incidences of all cells stand
/// one after the other, those of τ being `incidences(of: τ)`. A cell may have fewer faces than a closed one, such as an
/// edge with a single end (half-open), and a face may stand in several incidences, as at both ends of a loop; a complex
/// is *regular* where every closed cell is a ball.
///
/// Memory: 5 bytes for an incidence, 8 for a cell, beside names.
public struct CellComplex: Sendable, Equatable {
  /// Where the cells of each dimension begin, and at last their number.
  public let dimensionStarts: [Int]
  /// How cells are called.
  public let names: CellNames
  /// Where the incidences of each cell begin.
  @usableFromInline let faceStarts: [Int]
  /// The face of each incidence.
  @usableFromInline let faces: [Int32]
  /// [σ : τ] of each incidence.
  @usableFromInline let signs: [Int8]

  init(
    dimensionStarts: [Int], faceStarts: [Int], faces: [Int32], signs: [Int8], names: CellNames
  ) {
    (self.dimensionStarts, self.names) = (dimensionStarts, names)
    (self.faceStarts, self.faces, self.signs) = (faceStarts, faces, signs)
  }

  /// The number of cells.
  public var count: Int { dimensionStarts.last! }

  /// The largest dimension of a cell, −1 without cells.
  public var dimension: Int { dimensionStarts.count - 2 }

  /// The number of incidences.
  public var incidenceCount: Int { faces.count }

  /// The cells of dimension k, none where there are none.
  public func cells(ofDimension k: Int) -> Range<Int> {
    (0...max(dimension, 0)).contains(k) && dimension >= 0
      ? dimensionStarts[k]..<dimensionStarts[k + 1] : 0..<0
  }

  /// The dimension of a cell.
  public func dimension(of cell: Int) -> Int {
    precondition((0..<count).contains(cell), "cell \(cell) of \(count)")
    return dimensionStarts.dropFirst().firstIndex { cell < $0 }! - 1
  }

  /// The incidences of a cell with its faces.
  @inlinable public func incidences(of cell: Int) -> Range<Int> {
    faceStarts[cell]..<faceStarts[cell + 1]
  }

  /// The face σ of an incidence σ ⊴ τ.
  @inlinable public func face(_ incidence: Int) -> Int { Int(faces[incidence]) }

  /// The incidence number [σ : τ] of an incidence, 1 or −1.
  @inlinable public func sign(_ incidence: Int) -> Int { Int(signs[incidence]) }

  /// The name of a cell.
  public func name(_ cell: Int) -> String { names.name(cell) }

  /// The cell of each name.
  ///
  /// Cost: proportional to the number of cells; ask once.
  public func cellsByName() -> [String: Int] {
    Dictionary((0..<count).map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The number of cells in each dimension.
  public var cellCounts: [Int] {
    zip(dimensionStarts.dropFirst(), dimensionStarts).map { $0 - $1 }
  }

  /// Σ (−1)ᵏ · the number of cells of dimension k.
  public var eulerCharacteristic: Int {
    cellCounts.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? $1.element : -$1.element) }
  }

  /// The cells that each cell is a face of.
  ///
  /// Cost: proportional to the number of incidences; ask once.
  public func cofaces() -> Cofaces { Cofaces(self) }
}

/// The incidences of a complex by their faces.
public struct Cofaces: Sendable {
  @usableFromInline let starts: [Int]
  @usableFromInline let order: [Int32]
  @usableFromInline let cells: [Int32]

  init(_ complex: CellComplex) {
    var starts = [Int](repeating: 0, count: complex.count + 1)
    for face in complex.faces { starts[Int(face) + 1] += 1 }
    for i in 0..<complex.count { starts[i + 1] += starts[i] }
    var place = starts
    var order = [Int32](repeating: 0, count: complex.faces.count)
    var cells = order
    for cell in 0..<complex.count {
      for i in complex.incidences(of: cell) {
        let face = complex.face(i)
        (order[place[face]], cells[place[face]]) = (Int32(i), Int32(cell))
        place[face] += 1
      }
    }
    (self.starts, self.order, self.cells) = (starts, order, cells)
  }

  /// The cells τ with an incidence σ ⊴ τ, and those incidences.
  public func of(_ face: Int) -> [(cell: Int, incidence: Int)] {
    slots(face).map { (cell($0), incidence($0)) }
  }

  /// The places of a face's incidences in this list.
  @inlinable public func slots(_ face: Int) -> Range<Int> { starts[face]..<starts[face + 1] }

  /// The cell τ of a place.
  @inlinable public func cell(_ slot: Int) -> Int { Int(cells[slot]) }

  /// The incidence σ ⊴ τ of a place.
  @inlinable public func incidence(_ slot: Int) -> Int { Int(order[slot]) }

  /// The number of incidences of a face.
  public func degree(_ face: Int) -> Int { starts[face + 1] - starts[face] }
}
