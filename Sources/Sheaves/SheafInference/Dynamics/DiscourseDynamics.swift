import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology

/// Opinion dynamics on a discourse sheaf (Hansen, Ghrist, *Opinion dynamics on discourse sheaves*, SIAM J. Appl. Math. 81,
/// 2021).
///
/// The stalk of a vertex is what it may think, that of an edge what the two ends talk about, and a restriction map how an
/// opinion is expressed there. Two ends agree where (δx)_e = 0. Opinions move down the energy ½‖δx‖², whose gradient in
/// the inner products of the stalks is L x with L = δ*δ; stubborn vertices keep what they have.
///
/// Opinions are cochains of degree 0, one history per column. With Ω the coordinates of the vertices that are not
/// stubborn, L_ΩΩ is the Laplacian of degree 0 of `relative`, the sheaf on the open set of these vertices and their edges.
public struct DiscourseDynamics: Sendable {
  /// The sheaf; of its cells those of dimensions 0 and 1 matter.
  public let sheaf: CellularSheaf
  /// The vertices whose opinions are fixed, ascending.
  public let stubborn: [Int]
  /// The vertices that move, ascending.
  public let moving: [Int]
  /// α of ẋ = −α L x.
  public let rate: Double
  /// The sheaf on the moving vertices and the edges that they are ends of.
  public let relative: CellularSheaf
  /// Ω, in the order of the cochains of `relative`.
  let free: [Int]

  /// Dynamics on a sheaf.
  ///
  /// - Parameters:
  ///   - stubborn: vertices, in any order.
  ///   - rate: α > 0.
  public init(_ sheaf: CellularSheaf, stubborn: [Int] = [], rate: Double = 1) {
    let vertices = sheaf.complex.cells(ofDimension: 0)
    precondition(stubborn.allSatisfy(vertices.contains), "stubborn cells that are no vertices")
    precondition(rate > 0 && rate.isFinite, "a rate of \(rate)")
    let fixed = Set(stubborn)
    (self.sheaf, self.rate) = (sheaf, rate)
    self.stubborn = fixed.sorted()
    moving = vertices.filter { !fixed.contains($0) }
    let isMoving = Set(moving)
    let edges = sheaf.complex.cells(ofDimension: 1).filter { edge in
      sheaf.complex.incidences(of: edge).contains { isMoving.contains(sheaf.complex.face($0)) }
    }
    relative = sheaf.restricted(to: isMoving.union(edges)).sheaf
    free = sheaf.coordinates(moving)
  }

  /// L_ΩΩ.
  var laplacian: SheafLaplacian { SheafLaplacian(relative, degree: 0, part: .up) }

  /// ½‖δx‖² of each column.
  public func energies(_ opinions: Matrix) -> [Double] {
    sheaf.energies(opinions, degree: 0)
  }

  /// δx in coordinates that are orthonormal for the inner products of the edges.
  func discord(_ opinions: Matrix) -> Matrix {
    sheaf.orthonormal(sheaf.applyCoboundary(opinions, degree: 0), degree: 1)
  }

  /// What opinions must be.
  func check(_ opinions: Matrix) throws(FactorizationError) {
    precondition(
      opinions.rows == sheaf.cochainDimension(0),
      "opinions \(opinions.shape), \(sheaf.cochainDimension(0)) coordinates")
    guard opinions.firstNonFinite == nil else { throw .notFinite }
  }

  /// The part of cochains on Ω.
  func moving(of opinions: Matrix) -> Matrix {
    opinions[rows: free, columns: Array(0..<opinions.columns)]
  }

  /// Cochains with another part on Ω.
  func replacing(_ part: Matrix, in opinions: Matrix) -> Matrix {
    var result = opinions
    for j in 0..<part.columns {
      for (i, place) in free.enumerated() { result[place, j] = part[i, j] }
    }
    return result
  }
}
