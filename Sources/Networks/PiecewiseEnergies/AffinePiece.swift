import NeuralSheaves

/// An affine piece of a function of one coordinate: slope · y + offset for low ≤ y ≤ high.
package struct AffinePiece: Sendable, Hashable {
  package var low = -Double.infinity
  package var high = Double.infinity
  package var slope = 1.0
  package var offset = 0.0

  /// The identity.
  package init() {}
}

extension NetworkOperation {
  /// The pieces of a row that reads one coordinate, from the left.
  package func pieces(ofRow row: Int) -> [AffinePiece] {
    (0..<branchCount(ofRow: row)).map { b in
      let function = branch(b, ofRow: row)
      var piece = AffinePiece()
      (piece.slope, piece.offset) = (function.slope, function.offset)
      forEachBoundary(ofRow: row, branch: b) {
        if $0.other != nil { return }
        if $0.sign > 0 {
          piece.low = max(piece.low, $0.threshold)
        } else {
          piece.high = min(piece.high, $0.threshold)
        }
      }
      return piece
    }
  }
}
