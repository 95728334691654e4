import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// The mean discord of each edge over targets drawn from the network's own output, on the pattern of the forward pass (`ClampedDiscord`).
struct ExpectedDiscord {
  /// By edge of the network.
  private(set) var edges: [Double]
  /// Of the clamp.
  private(set) var output = 0.0

  /// Cost: for each sample a few solves of order n_{k+1} for each class.
  init(_ samples: NetworkSamples, _ parts: [EdgeCovariance], _ covariances: [Matrix]) {
    let network = samples.network
    let n = network.outputDimension
    edges = [Double](repeating: 0, count: parts.count)
    let square = Self.meanSquare(samples)
    for j in 0..<samples.count {
      let force = ClampForce(
        network.outputActivation, z: samples.logits.columns(j..<j + 1), covariances[j])
      // The mean of λλᵀ.
      var mean = Matrix(rows: n, columns: n)
      for (weight, target) in force.targets(variance: square) {
        let (lambda, energy) = force.solve(target)
        mean.addProduct(lambda, lambda, transposing: .right, scale: weight)
        output += weight * energy / Double(samples.count)
      }
      for (e, part) in parts.enumerated() {
        edges[e] += dot(mean, part.additive[j]) / Double(samples.count)
      }
    }
  }

  /// The residuals' mean square, where outputs are values.
  private static func meanSquare(_ samples: NetworkSamples) -> Double {
    guard samples.network.outputActivation == .identity, var r = samples.target else { return 0 }
    r.add(samples.logits, scale: -1)
    return r.sumOfSquares / Double(r.count)
  }
}

/// The force λ = y − φ(z + Cλ) that a clamp with κ = 1 exerts where the rest of the network answers with C.
private struct ClampForce {
  let activation: OutputActivation
  let z: Matrix
  let covariance: Matrix

  init(_ activation: OutputActivation, z: Matrix, _ covariance: Matrix) {
    (self.activation, self.z, self.covariance) = (activation, z, covariance)
  }

  /// Targets whose mean, each with its weight, is that over the network's own output: classes; of several sigmoids each pair of one coordinate, the others
  /// at their probabilities; of values ±σ on each coordinate, as λ is linear in them.
  func targets(variance: Double) -> [(weight: Double, target: Matrix)] {
    let n = z.rows
    let p = activation(z)
    switch activation {
    case .softmax:
      return (0..<n).filter { p[$0, 0] > 1e-9 }.map { c in
        var y = Matrix(rows: n, columns: 1)
        y[c, 0] = 1
        return (p[c, 0], y)
      }
    case .sigmoid:
      // Exact for one output; for several, to first order in what they do to each other.
      return (0..<n).flatMap { i in
        [0.0, 1.0].map { value in
          var y = p
          y[i, 0] = value
          return (value == 1 ? p[i, 0] : 1 - p[i, 0], y)
        }
      }
    case .identity:
      return (0..<n).map { i in
        var y = z
        y[i, 0] += variance.squareRoot()
        return (1, y)
      }
    }
  }

  /// λ, by Newton's method on ½λᵀCλ + ψ(z + Cλ) − ⟨y, Cλ⟩ with halved steps, and the discord of the clamp.
  func solve(_ y: Matrix) -> (Matrix, Double) {
    let n = z.rows
    var lambda = Matrix(rows: n, columns: 1)
    func residual(_ l: Matrix) -> Matrix {
      var r = activation(z + covariance * l)
      r.add(y, scale: -1)
      r.add(l)
      return r
    }
    var r = residual(lambda)
    for _ in 0..<50 where r.maximumMagnitude > 1e-12 {
      let p = activation(z + covariance * lambda)
      // I + HC.
      var jacobian = covariance
      for c in 0..<n {
        var column = covariance.columns(c..<c + 1)
        activation.applyJacobian(at: p, to: &column)
        jacobian.setColumns(from: c, to: column)
        jacobian[c, c] += 1
      }
      guard let step = try? jacobian.solve(r) else { break }
      var t = 1.0
      var next = lambda
      while true {
        next = lambda
        next.add(step, scale: -t)
        let trial = residual(next)
        if trial.sumOfSquares < r.sumOfSquares || t < 1e-6 {
          r = trial
          break
        }
        t /= 2
      }
      lambda = next
      if t < 1e-6 { break }
    }
    let end = z + covariance * lambda
    let energy = activation.crossEntropy(end, y, sample: 0)
    return (lambda, activation == .identity ? 2 * energy : energy)
  }
}

private func + (a: Matrix, b: Matrix) -> Matrix {
  var sum = a
  sum.add(b)
  return sum
}
