import LinearAlgebra

/// The map of one of the systems of an operator, for any number of vectors.
struct SampleOperator<Base: LinearOperator>: LinearOperator {
  let base: Base
  let sample: Int

  init(_ base: Base, sample: Int) { (self.base, self.sample) = (base, sample) }

  var rows: Int { base.rows }
  var columns: Int { base.columns }
  var traits: OperatorTraits { base.traits }
  var systems: Int? { nil }
  func systems(_ indices: [Int]) -> SampleOperator { self }
  func apply(_ x: Matrix, into y: inout Matrix) {
    base.systems([Int](repeating: sample, count: x.columns)).apply(x, into: &y)
  }
  func applyAdjoint(_ y: Matrix, into x: inout Matrix) {
    base.systems([Int](repeating: sample, count: y.columns)).applyAdjoint(y, into: &x)
  }
}
