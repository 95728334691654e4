import CKernels
import LinearAlgebra

/// Element by element, each row by its own spline; shapes (n, batch).
extension LinearSplines {
  /// y ← f(z).
  public func apply(_ z: Matrix, into y: inout Matrix) {
    check(z.count, y.count)
    ck_spline_apply(
      count, z.columns, kinks.columns, kinks.elements, slopes.elements, offsets.elements,
      z.elements, &y.elements)
  }

  /// branches ← the branch of each element of z; how many changed.
  public func readBranches(of z: Matrix, into branches: inout [UInt16]) -> Int {
    check(z.count, branches.count)
    return ck_spline_branches(
      count, z.columns, kinks.columns, kinks.elements, z.elements, &branches)
  }

  /// y ← scale · slope_b v + keep · y: the linear part on given branches, its own transpose.
  public func addLinearPart(
    _ branches: [UInt16], _ v: Matrix, scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    check(v.count, y.count)
    precondition(branches.count == v.count)
    ck_spline_multiply(
      count, v.columns, slopes.elements, branches, scale, v.elements, keep, &y.elements)
  }

  /// y ← slope_b v + offset_b: the affine functions on given branches.
  public func apply(_ branches: [UInt16], _ v: Matrix, into y: inout Matrix) {
    check(v.count, y.count)
    precondition(branches.count == v.count)
    ck_spline_branch_apply(
      count, v.columns, slopes.elements, offsets.elements, branches, v.elements, &y.elements)
  }

  private func check(_ n: Int, _ m: Int) {
    precondition(n == m && n % max(count, 1) == 0, "\(n) and \(m) elements for \(count) splines")
  }
}
