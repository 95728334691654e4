import NeuralSheaves
import LinearAlgebra
import PiecewiseEnergies
extension EquilibriumSolver {
  public func solve(_ energy: PinnedEnergy, input: Matrix, from start: SheafState?) throws(EquilibriumError) -> PinnedEquilibrium { try solve(energy, input: input) }
}
