/// Residuals and components that no variances can be found for.
public enum VarianceError: Error, Equatable, CustomStringConvertible {
  /// No residual at all.
  case noData
  /// A list of matrices, or one of them, that does not fit the residuals.
  case component(Int, found: String, expected: String)
  /// A residual or a matrix that is not finite.
  case notFinite(name: String, sample: Int)
  /// As many variances as numbers, or more.
  case tooManyComponents(found: Int, data: Int)
  /// Residuals that are 0 without exception.
  case zeroResiduals
  /// A floor that is negative or not finite.
  case floor(found: Double)
  /// A covariance that is not positive definite in double precision.
  case indefinite(sample: Int)
  /// Noise that a network has no place for.
  case noise(found: String, expected: String)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .noData: "no residuals, expected at least one sample with one coordinate"
    case .component(let c, let found, let expected):
      "component \(c) has \(found), expected \(expected)"
    case .notFinite(let name, let j): "\(name) of sample \(j) is not finite"
    case .tooManyComponents(let found, let data):
      "\(found) variance components for \(data) residuals, expected fewer components than residuals"
    case .zeroResiduals: "all residuals are 0, expected some that are not: there is no variance"
    case .floor(let found): "the floor is \(found), expected 0 or a positive finite number"
    case .indefinite(let j):
      "the covariance of sample \(j) is not positive definite in double precision; a positive floor makes it so"
    case .noise(let found, let expected): "\(found), expected \(expected)"
    }
  }
}
