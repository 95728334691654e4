import Foundation
import LinearAlgebra

/// The p-norm of the lengths of the bars of a graph's components, all neurons being there from the start (Rieck et al. 2019, §3):
///
///     NP = (Σ (1 − w')^p)^(1/p),   w' = |w| / max |w|,
///
/// over the connections of a spanning tree of the largest weights. It is small where the tree is as strong as the
/// strongest weight, and grows where few weights stand out.
public struct NeuralPersistence: Sendable, Equatable {
  /// NP.
  public let value: Double
  /// The most that it could be with this smallest weight and so many joints: (1 − min w') · joints^(1/p).
  ///
  /// Theorem 1 of the paper with 1, where bars begin, for the layer's largest w'; they are the same for the layer with the largest weight. A graph
  /// with n neurons that is connected has n − 1 joints.
  public let bound: Double
  /// p.
  public let exponent: Double

  /// NP over its bound, from 0 to 1; 0 where the bound is 0.
  public var normalized: Double { bound > 0 ? value / bound : 0 }

  init(_ bars: [(birth: Double, death: Double)], smallest: Double, exponent: Double) {
    precondition(exponent >= 1, "p = \(exponent), expected 1 or more")
    let lengths = bars.filter { $0.death < .infinity }.map { $0.death - $0.birth }
    value = pow(lengths.reduce(0) { $0 + pow($1, exponent) }, 1 / exponent)
    bound = (1 - smallest) * pow(Double(lengths.count), 1 / exponent)
    self.exponent = exponent
  }
}

extension NeuronGraph {
  /// The neural persistence of a layer.
  public func persistence(
    ofLayer k: Int, relativeTo reference: Reference = .network, exponent: Double = 2
  ) -> NeuralPersistence {
    let layer = layers[k]
    let largest = reference == .network ? largestWeight : layer.largestWeight
    return NeuralPersistence(
      components(
        connections[layer.connections], of: layer.neurons, largest, .atStart,
        source: { $0.source - layer.sourceShift }, target: { $0.target - layer.targetShift }),
      smallest: largest > 0 ? layer.smallestWeight / largest : 0, exponent: exponent)
  }

  /// That of the whole network's graph.
  public func persistence(exponent: Double = 2) -> NeuralPersistence {
    let smallest = layers.reduce(Double.infinity) { min($0, $1.smallestWeight) }
    return NeuralPersistence(
      wholeComponents(.atStart),
      smallest: largestWeight > 0 ? smallest / largestWeight : 0, exponent: exponent)
  }

  /// The mean over the layers of the normalised neural persistence; NaN for a network without weights.
  public func meanPersistence(
    relativeTo reference: Reference = .network, exponent: Double = 2
  ) -> Double {
    layers.indices.reduce(0) {
      $0 + persistence(ofLayer: $1, relativeTo: reference, exponent: exponent).normalized
    } / Double(layers.count)
  }
}
