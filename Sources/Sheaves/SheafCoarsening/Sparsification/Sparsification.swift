import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SparseFactorizations

/// A sheaf on fewer edges of the same graph whose Laplacian is within a factor 1 ± ε of the whole one's:
///
///     (1 − ε) ⟨x, L x⟩ ≤ ⟨x, L̃ x⟩ ≤ (1 + ε) ⟨x, L x⟩ for all x.
///
/// Edges are drawn with probabilities in proportion to their leverages ℓ_e = tr(δ_e L⁺ δ_e*), the effective resistances
/// of their stalks, which add up to the rank of L; one drawn m_e times of q has its energy multiplied by m_e/(q p_e)
/// (Spielman, Srivastava 2011, Algorithm 1; for sums of matrices of higher rank by Tropp 2012, Theorem 1.1). With q of the
/// order of rank · log rank / ε² it holds with high probability; here ε is found for every draw and draws go on, more
/// edges each time, until it is small enough.
public struct Sparsification: Sendable {
  /// On all vertices and the edges that were drawn, their inner products multiplied by their factors.
  public let sheaf: CellularSheaf
  /// The cell of the whole sheaf that each cell is.
  public let cells: [Int]
  /// ε: the largest |λ − 1| of L̃ relative to L as iterations from random starts found it, and 10⁻³.
  public let deviation: Double
  /// ℓ_e of each edge of the whole sheaf, in [0, stalk of e].
  public let leverages: [Double]
  /// How many draws were made in the last round.
  public let draws: Int

  /// Draws edges until the spectrum is within ε.
  ///
  /// The kernels of L and L̃ have to agree: where no number of draws short of all edges does, the whole sheaf is the
  /// result, its deviation 0.
  ///
  /// - Parameters:
  ///   - sheaf: on a graph; cells above dimension 1 are refused.
  ///   - deviation: ε in (0, 1).
  ///   - generator: of the draws.
  /// - Throws: `CoarseningError.quantity`; `FactorizationError`.
  /// - Complexity: a factorisation of L with its selected inverse; for each round some thirty products and solves.
  public init(
    _ sheaf: CellularSheaf, within deviation: Double, using generator: inout RandomGenerator
  ) throws {
    guard deviation > 0 && deviation < 1 else {
      throw CoarseningError.quantity(
        name: "the deviation of a sparser sheaf", found: "\(deviation)",
        expected: "a number between 0 and 1")
    }
    guard sheaf.complex.dimension <= 1 else {
      throw CoarseningError.quantity(
        name: "a sheaf to be made sparser",
        found: "a complex of dimension \(sheaf.complex.dimension)",
        expected: "a graph")
    }
    let energy = try EdgeEnergies(sheaf)
    let leverages = energy.leverages
    self.leverages = leverages
    let edges = Array(sheaf.complex.cells(ofDimension: 1))
    let total = leverages.reduce(0, +)
    let sums = leverages.reduce(into: [0.0]) { $0.append($0.last! + $1) }
    var draws = Int((total * max(log2(total), 1)).rounded(.up))
    while total > 0 && draws < 16 * edges.count {
      var counts = [Int](repeating: 0, count: edges.count)
      for _ in 0..<draws {
        let x = generator.uniform(0, total)
        // The last place whose sum is at most x; its leverage is not 0.
        var (low, high) = (0, edges.count)
        while high - low > 1 {
          let middle = (low + high) / 2
          if sums[middle] <= x { low = middle } else { high = middle }
        }
        counts[low] += 1
      }
      if counts.count(where: { $0 > 0 }) < edges.count {
        let factors = counts.indices.map {
          counts[$0] == 0 ? 0 : Double(counts[$0]) * total / (Double(draws) * leverages[$0])
        }
        // The iterations tell it to 10⁻³, from inside the spectrum.
        let found = try energy.deviation(factors, using: &generator) + 1e-3
        if found <= deviation {
          (self.sheaf, cells) = try Self.chosen(sheaf, factors)
          (self.deviation, self.draws) = (found, draws)
          return
        }
      }
      draws += draws / 2 + 1
    }
    (self.sheaf, cells) = (sheaf, Array(0..<sheaf.complex.count))
    (self.deviation, self.draws) = (0, 0)
  }

  /// The sheaf on the edges with a factor, with their inner products multiplied.
  private static func chosen(
    _ sheaf: CellularSheaf, _ factors: [Double]
  ) throws -> (CellularSheaf, [Int]) {
    let complex = sheaf.complex
    let edges = complex.cells(ofDimension: 1)
    let kept = Set(0..<complex.count).filter {
      !edges.contains($0) || factors[$0 - edges.lowerBound] > 0
    }
    let (part, cells) = sheaf.restricted(to: kept)
    let weights = cells.map { cell in
      edges.contains(cell)
        ? sheaf.innerProduct(of: cell).scaled(by: factors[cell - edges.lowerBound])
        : sheaf.innerProduct(of: cell)
    }
    return (
      try CellularSheaf(
        part.complex, stalks: cells.map { sheaf.stalk(of: $0) }, weights: weights
      ) { part.map($0) }, cells
    )
  }
}
