import CellComplexes
import CellularSheaves
import LinearAlgebra

/// An orthonormal basis of the 0-cochains of a sheaf that is localised in the parts of a hierarchy of its vertices:
/// sheaf wavelets.
///
/// From level to level each part has a scaling space, at first the stalks. The scaling spaces of the parts that make up a
/// larger one are put together and turned to the eigenvectors of the energy of the edges within it; the s lowest span the
/// new scaling space, the others are wavelets of that part and level, the eigenvalue their frequency. Where s is the
/// dimension of the local sections, those are what goes on, and every global section has no wavelet part at all. For the
/// constant sheaf ℝ and parts of two they are Haar's (Haar 1910; on graphs Gavish, Nadler, Coifman 2010; eigenvectors of
/// parts as in Irion, Saito 2014).
///
/// The basis is orthonormal in the inner products of the stalks: c = Σ ⟨ψ, c⟩ ψ and ‖c‖² = Σ ⟨ψ, c⟩².
public struct SheafWavelets: Sendable {
  /// The number of levels with wavelets, from 1.
  public var levelCount: Int { turns.count }

  /// What a coefficient belongs to.
  public struct Element: Sendable, Equatable {
    /// The level of the part whose wavelet it is, from 1; for a scaling function that of the last.
    public let level: Int
    /// The number of the part.
    public let part: Int
    /// The energy ‖δ ψ‖² of the edges within the part.
    public let frequency: Double
    /// Whether it is a scaling function of the last level.
    public let isScaling: Bool
  }

  /// The element of each coefficient: the scaling functions of the last level first, then wavelets from coarse to fine.
  public let elements: [Element]
  private let sheaf: CellularSheaf
  private let turns: [[Turn]]

  /// One part's change of coordinates.
  private struct Turn: Sendable {
    /// Where the coordinates that go in stand.
    let inputs: [Int]
    /// Orthogonal, the eigenvectors as columns.
    let vectors: Matrix
    /// The number of those that go on.
    let scaling: Int
    /// Where the coefficients of the others go.
    var details: [Int]
  }

  /// Where the scaling coefficients of the last level stand while it is analysed.
  private let last: [Int]

  /// A basis.
  ///
  /// - Parameters:
  ///   - sheaf: of any stalks; cells above dimension 1 have no say.
  ///   - hierarchy: of its vertices.
  ///   - scalingDimension: s; the largest dimension of a vertex's stalk if nil.
  /// - Complexity: the cube of the number of coordinates that meet in a part, Σ over the parts.
  public init(
    _ sheaf: CellularSheaf, _ hierarchy: VertexHierarchy, scalingDimension: Int? = nil
  ) throws {
    let vertices = sheaf.complex.cells(ofDimension: 0)
    try hierarchy.check(sheaf)
    if let s = scalingDimension, s < 0 {
      throw CoarseningError.quantity(
        name: "the scaling dimension", found: "\(s)", expected: "0 or more")
    }
    let s = scalingDimension ?? vertices.map { sheaf.stalk(of: $0) }.max() ?? 0
    var energy = ProjectedEnergy(sheaf, hierarchy)
    // Scaling coordinates of each part stand at the first of its coordinates.
    var spaces = vertices.map { Array(sheaf.range(of: $0)) }
    // Edges within a vertex (loops) are within every part of it.
    var inside = energy.inside[0]
    var turns: [[Turn]] = []
    var found: [(element: Element, level: Int, turn: Int)] = []
    for level in 1..<max(hierarchy.levels, 1) {
      let children = hierarchy.children(level)
      var (nextSpaces, nextInside) = ([[Int]](), [[Int]]())
      var row: [Turn] = []
      for (part, below) in children.enumerated() {
        let inputs = below.flatMap { spaces[$0] }
        let columns = below.flatMap { inside[$0] } + energy.inside[level][part]
        let places = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($1, $0) })
        let pairs = try SymmetricEigendecomposition(energy.gram(columns, on: places))
        let scaling = min(s, inputs.count)
        for k in scaling..<inputs.count {
          found.append(
            (
              Element(
                level: level, part: part, frequency: max(pairs.values[k], 0), isScaling: false),
              level, row.count
            ))
        }
        row.append(
          Turn(
            inputs: inputs, vectors: Self.signed(pairs.vectors), scaling: scaling, details: []))
        nextSpaces.append(Array(inputs.prefix(scaling)))
        nextInside.append(columns)
      }
      energy.project(row.map { ($0.inputs, $0.vectors.columns(0..<$0.scaling)) })
      (spaces, inside) = (nextSpaces, nextInside)
      turns.append(row)
    }
    last = spaces.flatMap { $0 }
    var elements: [Element] = []
    for (part, space) in spaces.enumerated() {
      let places = Dictionary(uniqueKeysWithValues: space.enumerated().map { ($1, $0) })
      let gram = energy.gram(inside[part], on: places)
      for k in space.indices {
        elements.append(
          Element(
            level: hierarchy.levels - 1, part: part, frequency: max(gram[k, k], 0),
            isScaling: true))
      }
    }
    for (element, level, turn) in found.sorted(by: { $0.level > $1.level }) {
      turns[level - 1][turn].details.append(elements.count)
      elements.append(element)
    }
    (self.sheaf, self.turns, self.elements) = (sheaf, turns, elements)
  }

  /// Columns whose first element of at least half the largest magnitude is positive: signs that rounding has no say in.
  private static func signed(_ vectors: Matrix) -> Matrix {
    var result = vectors
    for j in 0..<vectors.columns {
      let bound = vectors.maximumMagnitude(column: j) / 2
      guard let i = (0..<vectors.rows).first(where: { abs(vectors[$0, j]) >= bound }),
        vectors[i, j] < 0
      else { continue }
      for i in 0..<vectors.rows { result[i, j] = -result[i, j] }
    }
    return result
  }

  /// The coefficients ⟨ψ, c⟩, one column for each cochain.
  ///
  /// - Parameter cochains: of degree 0, in the coordinates of the maps.
  /// - Complexity: the square of the number of coordinates that meet in a part, Σ over the parts, for each column.
  public func analyse(_ cochains: Matrix) -> Matrix {
    var values = sheaf.orthonormal(cochains, degree: 0)
    var result = Matrix(rows: elements.count, columns: cochains.columns)
    for row in turns {
      for turn in row {
        var turned = Matrix(rows: turn.inputs.count, columns: cochains.columns)
        turned.setProduct(turn.vectors, values.gathered(turn.inputs), transposing: .left)
        for j in 0..<cochains.columns {
          for i in 0..<turn.scaling { values[turn.inputs[i], j] = turned[i, j] }
          for (i, place) in turn.details.enumerated() {
            result[place, j] = turned[turn.scaling + i, j]
          }
        }
      }
    }
    for j in 0..<cochains.columns {
      for (i, place) in last.enumerated() { result[i, j] = values[place, j] }
    }
    return result
  }

  /// The cochains with given coefficients.
  public func synthesise(_ coefficients: Matrix) -> Matrix {
    precondition(
      coefficients.rows == elements.count,
      "coefficients \(coefficients.shape) of \(elements.count) elements")
    var values = Matrix(rows: elements.count, columns: coefficients.columns)
    for j in 0..<coefficients.columns {
      for (i, place) in last.enumerated() { values[place, j] = coefficients[i, j] }
    }
    for row in turns.reversed() {
      for turn in row {
        var turned = Matrix(rows: turn.inputs.count, columns: coefficients.columns)
        for j in 0..<coefficients.columns {
          for i in 0..<turn.scaling { turned[i, j] = values[turn.inputs[i], j] }
          for (i, place) in turn.details.enumerated() {
            turned[turn.scaling + i, j] = coefficients[place, j]
          }
        }
        let whole = turn.vectors * turned
        for j in 0..<coefficients.columns {
          for (i, place) in turn.inputs.enumerated() { values[place, j] = whole[i, j] }
        }
      }
    }
    return sheaf.given(values, degree: 0)
  }

  /// ‖·‖² of the wavelet coefficients of each level from 1 on, and of the scaling coefficients at last, of each column.
  public func powers(_ coefficients: Matrix) -> [[Double]] {
    var result = [[Double]](
      repeating: [Double](repeating: 0, count: coefficients.columns), count: turns.count + 1)
    for (i, element) in elements.enumerated() {
      for j in 0..<coefficients.columns {
        result[element.isScaling ? turns.count : element.level - 1][j] +=
          coefficients[i, j] * coefficients[i, j]
      }
    }
    return result
  }
}

extension ProjectedEnergy {
  /// Writes the columns in the coordinates of scaling spaces: the first of those of the parts that they come from.
  mutating func project(_ spaces: [(inputs: [Int], basis: Matrix)]) {
    var place: [Int: (space: Int, row: Int)] = [:]
    for (k, space) in spaces.enumerated() {
      for (i, input) in space.inputs.enumerated() { place[input] = (k, i) }
    }
    for j in columns.indices {
      var sums: [Int: [Double]] = [:]
      for (row, value) in columns[j] {
        let (k, i) = place[row]!
        let basis = spaces[k].basis
        var sum = sums[k] ?? [Double](repeating: 0, count: basis.columns)
        for c in 0..<basis.columns { sum[c] += basis[i, c] * value }
        sums[k] = sum
      }
      columns[j] = sums.sorted { $0.key < $1.key }.flatMap { k, sum in
        sum.enumerated().map { (spaces[k].inputs[$0.offset], $0.element) }
      }
    }
  }
}
