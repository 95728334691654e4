import CKernels
import LinearAlgebra

extension PiecewiseAffine {
  private var kernel: ck_piecewise {
    ck_piecewise(
      kink: (kinks[0], kinks.count > 1 ? kinks[1] : .infinity),
      slope: (slopes[0], slopes[1], slopes.count > 2 ? slopes[2] : 0),
      offset: (offsets[0], offsets[1], offsets.count > 2 ? offsets[2] : 0))
  }

  /// y ← P(z), element by element.
  public func apply(_ z: Matrix, into y: inout Matrix) {
    precondition(z.count == y.count)
    ck_piecewise_apply(z.count, kernel, z.elements, &y.elements)
  }

  /// ρ ← a − P(z), element by element.
  public func discrepancy(_ z: Matrix, _ a: Matrix, into rho: inout Matrix) {
    precondition(z.count == a.count && z.count == rho.count)
    ck_piecewise_discrepancy(z.count, kernel, z.elements, a.elements, &rho.elements)
  }

  /// ρ ← a − P(z) and z ← z + h · (slope · ρ − g) with the slopes at the old z, where g is
  /// `incoming`, or z − incoming if that is a prediction of z; in one pass. Returns the largest change
  /// of an element, NaN if one is not finite, and how many switched branch.
  public func relax(
    _ z: inout Matrix, _ a: Matrix, incoming: Matrix, isPrediction: Bool, by h: Double,
    into rho: inout Matrix
  ) -> (change: Double, switched: Int) {
    precondition(z.count == a.count && z.count == rho.count && z.count == incoming.count)
    var switched = 0
    let change = ck_piecewise_relax(
      z.count, kernel, h, a.elements, incoming.elements, isPrediction ? 1 : 0, &z.elements,
      &rho.elements, &switched)
    return (change, switched)
  }

  /// branches ← the branch of each element of z; how many changed.
  public func readBranches(of z: Matrix, into branches: inout [UInt16]) -> Int {
    precondition(z.count == branches.count)
    return ck_piecewise_branches(z.count, kernel, z.elements, &branches)
  }

  /// y ← scale · slope_b v + keep · y: the linear part on given branches, its own transpose.
  public func addLinearPart(
    _ branches: [UInt16], _ v: Matrix, scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    precondition(v.count == branches.count && y.count == v.count)
    ck_branch_multiply(v.count, kernel, branches, scale, v.elements, keep, &y.elements)
  }

  /// y ← slope_b v + offset_b: the affine function on given branches.
  public func apply(_ branches: [UInt16], _ v: Matrix, into y: inout Matrix) {
    precondition(v.count == branches.count && y.count == v.count)
    ck_branch_apply(v.count, kernel, branches, v.elements, &y.elements)
  }
}
