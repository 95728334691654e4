import Foundation
import LinearAlgebra
import SparseFactorizations

extension RankRevealingQR {
  /// A factorisation whose rank is decided by a tolerance, or where there is none by a gap.
  package static func deciding(
    _ a: SparseMatrix, by tolerance: Double?
  ) throws(FactorizationError) -> RankRevealingQR {
    if let tolerance { return try RankRevealingQR(a, tolerance: tolerance) }
    return try .withGap(a)
  }

  /// The basis of the kernel of Aᵀ, if it takes no more than half of the machine's memory.
  ///
  /// - Throws: `outOfMemory` if it takes more.
  package func leftNullSpaceWithinMemory() throws(FactorizationError) -> Matrix {
    let bytes = 8 * Double(rows) * Double(rows - rank)
    guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) / 2 else { throw .outOfMemory }
    return leftNullSpace()
  }
}
