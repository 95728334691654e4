import CellComplexes
import Foundation
import LinearAlgebra

/// The linear system of the energy ½‖δ c‖² of cochains of degree k whose values on some coordinates U are given: with
/// L = δᵀ W δ, L[Ω, Ω] c_Ω = −L[Ω, U] u.
public struct EnergySystem: Sendable {
  /// The lower triangle of L[Ω, Ω].
  public let triangle: SparseMatrix
  /// −L[Ω, U] u, one column for each cochain.
  public let right: Matrix

  /// Assembles the system.
  ///
  /// Stalk by stalk: the block of two cells is Σ ± F_{σ ⊴ τ}ᵀ F_{σ′ ⊴ τ} over the cells τ that both are faces of. Where
  /// there are weights or sparse maps, from the matrix of δ.
  ///
  /// - Parameters:
  ///   - isFree: which coordinates of C^k make up Ω.
  ///   - values: cochains whose other coordinates are given; those on Ω are not read.
  /// - Complexity: Σ over the cells of dimension k + 1 of the square of the number of their faces, times the products of
  ///   blocks; on as many threads as there are processors.
  public init(_ sheaf: CellularSheaf, degree k: Int, isFree: [Bool], values: Matrix) {
    precondition(
      isFree.count == sheaf.cochainDimension(k) && values.rows == isFree.count,
      "values \(values.shape) of cochains of \(sheaf.cochainDimension(k)) coordinates")
    guard sheaf.maps.transposes.isEmpty, sheaf.isUnweighted else {
      let factor = sheaf.coboundaryTransposed(k, in: .orthonormalAbove)
      let free = isFree.indices.filter { isFree[$0] }
      let rows = factor.part(rows: free)
      var given = values
      for j in 0..<given.columns { for i in free { given[i, j] = 0 } }
      var right = rows(factor.adjoint(given))
      right.scale(by: -1)
      (triangle, self.right) = (rows.outerGram, right)
      return
    }
    let cells = sheaf.complex.cells(ofDimension: k)
    let cofaces = sheaf.complex.cofaces()
    var places: [Int32] = []
    places.reserveCapacity(isFree.count)
    var count: Int32 = 0
    for isIn in isFree {
      places.append(isIn ? count : -1)
      if isIn { count += 1 }
    }
    // Small systems are not worth a second thread.
    let threads = cells.count < 4096 ? 1 : ProcessInfo.processInfo.activeProcessorCount
    var parts = (0..<threads).map { t in
      Assembly(
        sheaf, cells,
        cells.lowerBound + t * cells.count / threads..<cells.lowerBound + (t + 1) * cells.count
          / threads,
        cofaces, places, Int(count), values)
    }
    forEachInParallel(&parts, threads: threads) { $0.run() }
    var right = Matrix(rows: Int(count), columns: values.columns)
    for part in parts { right.add(part.right, scale: -1) }
    triangle = parts.dropFirst().reduce(
      parts.first?.builder.matrix ?? SparseMatrix.ColumnBuilder(rows: 0).matrix
    ) {
      $0.beside($1.builder.matrix)
    }
    self.right = right
  }
}

/// The assembly of some columns of blocks.
private struct Assembly: Sendable {
  private let sheaf: CellularSheaf
  private let cells: Range<Int>
  private let chosen: Range<Int>
  private let cofaces: Cofaces
  /// The new number of each coordinate, −1 for those that are given.
  private let places: [Int32]
  private let values: Matrix
  private(set) var builder: SparseMatrix.ColumnBuilder
  /// L[Ω, U] u.
  private(set) var right: Matrix
  /// The blocks of the column that is being gathered: the cells, and where the block of each is.
  private var found: [Int32] = []
  private var blockOf: [Int32]
  private var blocks: [Double] = []

  init(
    _ sheaf: CellularSheaf, _ cells: Range<Int>, _ chosen: Range<Int>, _ cofaces: Cofaces,
    _ places: [Int32], _ count: Int, _ values: Matrix
  ) {
    (self.sheaf, self.cells, self.chosen, self.cofaces) = (sheaf, cells, chosen, cofaces)
    (self.places, self.values) = (places, values)
    builder = SparseMatrix.ColumnBuilder(rows: count)
    right = Matrix(rows: count, columns: values.columns)
    blockOf = [Int32](repeating: -1, count: cells.count)
  }

  mutating func run() {
    let base = cells.isEmpty ? 0 : sheaf.starts[cells.lowerBound]
    for cell in chosen {
      let start = sheaf.starts[cell] - base
      let width = sheaf.starts[cell + 1] - base - start
      gather(cell, width)
      emit(start, width, base)
    }
  }

  private mutating func gather(_ cell: Int, _ width: Int) {
    let complex = sheaf.complex
    found.removeAll(keepingCapacity: true)
    blocks.removeAll(keepingCapacity: true)
    for slot in cofaces.slots(cell) {
      let i = cofaces.incidence(slot)
      let right = sheaf.maps.table[Int(sheaf.maps.places[i])]
      let sign = Double(complex.sign(i))
      for j in complex.incidences(of: cofaces.cell(slot)) {
        let other = complex.face(j)
        guard other >= cell else { continue }
        let height = sheaf.starts[other + 1] - sheaf.starts[other]
        let local = other - cells.lowerBound
        if blockOf[local] < 0 {
          blockOf[local] = Int32(blocks.count)
          found.append(Int32(local))
          for _ in 0..<height * width { blocks.append(0) }
        }
        add(
          sheaf.maps.table[Int(sheaf.maps.places[j])], right, sign * Double(complex.sign(j)),
          height, width, Int(blockOf[local]))
      }
    }
    found.sort()
  }

  /// block += sign · Lᵀ R.
  @inline(__always) private mutating func add(
    _ left: RestrictionMaps.Entry, _ right: RestrictionMaps.Entry, _ sign: Double, _ height: Int,
    _ width: Int, _ block: Int
  ) {
    let buffer = sheaf.maps.buffer
    switch (left, right) {
    case (.scalar(let a), .scalar(let b)):
      for i in 0..<width { blocks[block + i + i * height] += sign * a * b }
    case (.scalar(let a), .matrix(let start, let rows, _)):
      for c in 0..<width {
        for r in 0..<height {
          blocks[block + r + c * height] += sign * a * buffer[start + r + c * rows]
        }
      }
    case (.matrix(let start, let rows, _), .scalar(let b)):
      for c in 0..<width {
        for r in 0..<height {
          blocks[block + r + c * height] += sign * b * buffer[start + c + r * rows]
        }
      }
    case (.matrix(let l, let rows, _), .matrix(let r0, _, _)):
      for c in 0..<width {
        for r in 0..<height {
          var sum = 0.0
          for i in 0..<rows { sum += buffer[l + i + r * rows] * buffer[r0 + i + c * rows] }
          blocks[block + r + c * height] += sign * sum
        }
      }
    default: preconditionFailure("sparse maps are assembled from their coboundary")
    }
  }

  private mutating func emit(_ start: Int, _ width: Int, _ base: Int) {
    for c in 0..<width {
      let column = places[start + c]
      for local in found {
        let first = sheaf.starts[cells.lowerBound + Int(local)] - base
        let height = sheaf.starts[cells.lowerBound + Int(local) + 1] - base - first
        let block = Int(blockOf[Int(local)]) + c * height
        for r in 0..<height {
          let row = places[first + r]
          if row >= 0 && column >= 0 {
            if row >= column { builder.append(row: Int(row), blocks[block + r]) }
          } else if row >= 0 {
            give(start + c, to: row, blocks[block + r])
          } else if column >= 0, first != start {
            give(first + r, to: column, blocks[block + r])
          }
        }
      }
      if column >= 0 { builder.endColumn() }
    }
    for local in found { blockOf[Int(local)] = -1 }
  }

  /// An entry of L[Ω, U] times the given values.
  private mutating func give(_ coordinate: Int, to row: Int32, _ entry: Double) {
    for j in 0..<values.columns { right[Int(row), j] += entry * values[coordinate, j] }
  }
}
