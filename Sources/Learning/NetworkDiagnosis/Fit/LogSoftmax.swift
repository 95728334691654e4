import Foundation
import LinearAlgebra

/// log softmax(z), sample by sample, without underflow.
func logSoftmax(_ logits: Matrix) -> Matrix {
  var result = logits
  for j in 0..<logits.columns {
    let top = logits[logits.largestRow(ofColumn: j), j]
    let sum = (0..<logits.rows).reduce(0) { $0 + exp(logits[$1, j] - top) }
    for i in 0..<logits.rows { result[i, j] -= top + log(sum) }
  }
  return result
}
