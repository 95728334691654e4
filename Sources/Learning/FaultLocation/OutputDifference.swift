import Foundation
import LinearAlgebra
import NeuralSheaves

/// How a network's outputs differ from those of a reference on the same probes.
///
/// The difference is of z_{k+1}. Where the reference has probabilities, z is known up to what the output activation forgets: of a
/// softmax the differences between logits, log p less its mean over the classes, on the complement of (1, …, 1); of a sigmoid the
/// log odds.
public struct OutputDifference: Sendable {
  /// What the reference's outputs are.
  public enum Scale: String, Sendable {
    /// z_{k+1}.
    case values
    /// Probabilities of a softmax.
    case probabilities
    /// Probabilities of a sigmoid.
    case odds
  }

  /// What the reference's outputs were taken for.
  public let scale: Scale
  /// Reference − network, (m, probes): m is the number of outputs, one less for the probabilities of a softmax.
  public let residuals: Matrix
  /// The mean squares of the residuals over those of the network's outputs, the root.
  public let relative: Double
  /// The coordinates of the residuals in those of z_{k+1}, (outputs, m), orthonormal; nil for the same coordinates.
  let basis: Matrix?

  /// The least probability that counts; smaller ones and 0 count for as much.
  static let leastProbability = 1e-12

  /// The difference of some outputs.
  ///
  /// The reference's outputs are taken for probabilities if they are between 0 and 1, sum to 1 for each probe where a softmax is
  /// meant, and the network's own probabilities are nearer to them than its z_{k+1}.
  ///
  /// - Parameters:
  ///   - logits: z_{k+1} of the network, (outputs, probes).
  ///   - reference: of the same shape.
  /// - Throws: `FaultError` for other shapes, numbers that are not finite, reference outputs that are all equal, and outputs that
  ///   agree to 10⁻¹² of their size.
  public init(
    logits: Matrix, reference: Matrix, of network: Network
  ) throws(FaultError) {
    let n = logits.rows
    guard reference.rows == n && reference.columns == logits.columns else {
      throw .quantity(
        name: "the reference",
        found: "(\(reference.columns) samples, \(reference.rows))",
        expected: "(\(logits.columns) samples, \(n))")
    }
    for (name, m) in [("the output", logits), ("the reference", reference)] {
      if let (_, j) = m.firstNonFinite { throw .notFinite(name: name, sample: j) }
    }
    let first = reference.column(0)
    let isConstant = (0..<reference.columns).allSatisfy { reference.column($0) == first }
    let isOneNumber = reference.elements.allSatisfy { $0 == reference[0, 0] }
    guard !(isConstant && reference.columns > 1 || isOneNumber && reference.count > 1) else {
      throw .constantReference(probes: reference.columns)
    }
    scale = Self.scale(of: reference, logits, network)
    var (own, other) = (logits, reference)
    switch scale {
    case .values: basis = nil
    case .probabilities:
      own = Self.centredLogarithms(OutputActivation.softmax(logits))
      other = Self.centredLogarithms(reference)
      basis = Self.complementOfOnes(n)
    case .odds:
      own = Self.logOdds(OutputActivation.sigmoid(logits))
      other = Self.logOdds(reference)
      basis = nil
    }
    var difference = other
    difference.add(own, scale: -1)
    let size = max(dot(own, own), dot(other, other))
    relative = size > 0 ? (dot(difference, difference) / size).squareRoot() : 0
    guard relative.isFinite else {
      throw .notFinite(name: "the difference of the outputs", sample: 0)
    }
    guard relative > 1e-12 else { throw .noDifference(relative: relative) }
    if let basis {
      residuals = basis.transposed * difference
    } else {
      residuals = difference
    }
  }

  private static func scale(
    of reference: Matrix, _ logits: Matrix, _ network: Network
  ) -> Scale {
    guard reference.elements.allSatisfy({ $0 >= 0 && $0 <= 1 + 1e-6 }) else { return .values }
    let sums = (0..<reference.columns).allSatisfy { j in
      abs(reference.column(j).reduce(0, +) - 1) < 1e-3
    }
    func distance(_ y: Matrix) -> Double {
      var d = y
      d.add(reference, scale: -1)
      return dot(d, d)
    }
    if network.outputActivation != .sigmoid && reference.rows > 1 && sums {
      return distance(OutputActivation.softmax(logits)) < distance(logits)
        ? .probabilities : .values
    }
    if network.outputActivation == .sigmoid {
      return distance(OutputActivation.sigmoid(logits)) < distance(logits) ? .odds : .values
    }
    return .values
  }

  private static func centredLogarithms(_ p: Matrix) -> Matrix {
    var result = p
    for j in 0..<p.columns {
      let logs = p.column(j).map { log(max($0, leastProbability)) }
      let mean = logs.reduce(0, +) / Double(p.rows)
      for i in 0..<p.rows { result[i, j] = logs[i] - mean }
    }
    return result
  }

  private static func logOdds(_ p: Matrix) -> Matrix {
    var result = p
    for j in 0..<p.columns {
      for i in 0..<p.rows {
        let q = min(max(p[i, j], leastProbability), 1 - leastProbability)
        result[i, j] = log(q / (1 - q))
      }
    }
    return result
  }

  /// Helmert's orthonormal basis of the complement of (1, …, 1), (n, n − 1).
  private static func complementOfOnes(_ n: Int) -> Matrix {
    var basis = Matrix(rows: n, columns: n - 1)
    for k in 1..<n {
      let scale = 1 / Double(k * (k + 1)).squareRoot()
      for i in 0..<k { basis[i, k - 1] = scale }
      basis[k, k - 1] = -Double(k) * scale
    }
    return basis
  }

  /// A difference of z_{k+1} in the coordinates of the residuals.
  func reduced(difference: Matrix) -> Matrix {
    basis.map { $0.transposed * difference } ?? difference
  }

  /// P in the coordinates of the residuals.
  public func reduced(_ p: Matrix) -> Matrix {
    basis.map { $0.transposed * (p * $0) } ?? p
  }
}
