import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension Elimination {
  /// The multipliers with which copies are where their coordinates are, at column j of x: λ = −γp(t − P(s)), for the
  /// largest place of a window.
  func startMultipliers(_ state: inout SampleCells, _ x: [Matrix], sample j: Int) {
    guard hasCopies else { return }
    for cell in cells {
      for q in 0..<cell.rows.count {
        let row = cell.rows.lowerBound + q
        let reads = cell.readStarts[q]..<cell.readStarts[q + 1]
        func place(_ r: Int) -> Double { x[cell.source][Int(sources[r]), j] }
        let r =
          cell.isWindow
          ? reads.max { cell.sign * place($0) < cell.sign * place($1) }! : reads.lowerBound
        guard bindings[r] == .copy else { continue }
        let s = place(r)
        let piece =
          pieces[Int(pieceStarts[r])..<Int(pieceStarts[r]) + Int(pieceCounts[r])]
          .first { s <= $0.high } ?? AffinePiece()
        let d = x[cell.target][row, j] - piece.slope * s - piece.offset
        state.multipliers[r] = -gamma[cell.target][row] * piece.slope * d
      }
    }
  }

  /// The largest distance of a copy from what it is a copy of, in column j of x, also relative to that where that
  /// is beyond 1.
  func separation(
    _ state: SampleCells, _ x: [Matrix], sample j: Int
  ) -> (relative: Double, absolute: Double) {
    var worst = (relative: 0.0, absolute: 0.0)
    forEachCopy { r, vertex in
      let s = x[vertex][Int(sources[r]), j]
      let gap = abs(s - state.values[r])
      worst = (maximum(worst.relative, gap / max(1, abs(s))), maximum(worst.absolute, gap))
    }
    return worst
  }

  /// Visits the reads that are bound to outer coordinates, each with the vertex of its coordinate.
  func forEachCopy(_ visit: (_ read: Int, _ vertex: Int) -> Void) {
    guard hasCopies else { return }
    for cell in cells {
      for r in cell.readStarts[0]..<cell.readStarts[cell.rows.count] where bindings[r] == .copy {
        visit(r, cell.source)
      }
    }
  }

  /// How many coordinates are tied with another of their window.
  func tiedCoordinates(_ state: SampleCells) -> Int {
    state.levels.reduce(0) { sum, level in
      let cell = cells[Int(level.cells)]
      let reads = cell.readStarts[Int(level.row)]..<cell.readStarts[Int(level.row) + 1]
      return sum + reads.count { state.isLevel[$0] } - (level.isFixed ? 0 : 1)
    }
  }
}
