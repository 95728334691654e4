import LinearAlgebra
extension NetworkOperation {
  public var regressorDimensions: [Int] { [] }
  public func addRegressorMoments(_ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]) {}
  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {}
}
extension Network { public func rescaled(stiffness: [Double]) -> Network { self }
  public mutating func reinitialize(using g: inout RandomGenerator) {} }
