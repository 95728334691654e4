import CDenseSpectrum
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics

/// The ends of the spectra of restricted Laplacians beside LAPACK's dsyevr for the same pairs of the same matrices.
@MainActor func measureSpectra() throws {
  try measure("spectra [784,512,512,10] x50") {
    try spectra([784, 512, 512, 10], batch: 50, rivals: 2)
  }
  try measure("spectra [2,30,1] x300") { try spectra([2, 30, 1], batch: 300, rivals: 300) }
}

private func spectra(_ widths: [Int], batch: Int, rivals: Int) throws -> [String: Any] {
  let this = try Case(widths, batch: batch)
  let sheaf = NeuralSheaf(this.network)
  let state = sheaf.forwardPass(this.input)
  var settings = SheafSpectrum.Settings()
  settings.tolerance = 1e-6
  var (best, spectrum) = (Double.infinity, SheafSpectrum?.none)
  for _ in 0..<5 {
    let time = ContinuousClock().measure {
      spectrum = SheafSpectrum(sheaf, at: state, settings: settings)
    }
    best = min(best, time / .milliseconds(1))
  }
  let operators = RestrictedLaplacian(
    RestrictedCoboundary(sheaf, at: sheaf.patterns(at: state), batch: batch))
  var (rival, error) = (Double.infinity, 0.0)
  for round in 0..<(rivals > 10 ? 3 : 1) {
    var total = 0.0
    for j in 0..<rivals {
      let matrix = operators.assembled(system: j)
      var (least, largest) = (0.0, 0.0)
      let time = ContinuousClock().measure {
        _ = extreme_eigenpairs(Int32(matrix.rows), matrix.elements, &least, &largest)
      }
      total += time / .milliseconds(1)
      let sample = spectrum!.samples[j]
      if round == 0 {
        error = max(
          error, abs(sample.gap / least - 1), abs(sample.top.value / largest - 1))
      }
    }
    rival = min(rival, total / Double(rivals))
  }
  return [
    "freeCoordinates": this.network.freeDimension,
    "millisecondsPerSample": best / Double(batch), "dsyevrMillisecondsPerSample": rival,
    "timesFaster": rival * Double(batch) / best, "relativeError": error,
    "converged": spectrum!.samples.count { $0.status == .converged },
  ]
}
