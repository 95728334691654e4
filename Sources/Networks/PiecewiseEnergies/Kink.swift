/// A place of the source where a state-dependent coordinate rests on the boundary of two branches.
///
/// On the boundary the energy is that of either branch; a face of such places is an affine
/// subspace, and the energy on it a quadratic.
package enum Kink: Sendable, Equatable {
  /// A coordinate that stays at the kink of the rows that read it.
  case value(coordinate: Int, threshold: Double)
  /// A coordinate that stays tied with the representative of a row's window.
  case tie(row: Int, branch: Int)
}
