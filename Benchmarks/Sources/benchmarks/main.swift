import CAllocationCounter
import HeatFlow
import LinearAlgebra
import NeuralSheaves
import Foundation

func heat(_ widths: [Int], _ batch: Int, steps: Int, threads: Int) throws {
  var g = RandomGenerator(seed: 1)
  let net = try Network(widths: widths, using: &g)
  let sheaf = NeuralSheaf(net)
  let x = g.normalMatrix(rows: widths[0], columns: batch)
  let flow = try HeatFlow(sheaf, pins: Pins(network: net, input: x))
  let start = sheaf.randomState(x, using: &g)
  let t = Date()
  print("stable", flow.stableStep(at: start), -t.timeIntervalSinceNow)
  for n in [steps] {
    let a = allocation_count()
    let t = Date()
    let s = try Euler(step: 0.001, stop: .change(1e-300), stepLimit: n, threads: threads).run(flow, from: start)
    let dt = -t.timeIntervalSinceNow
    print(widths, batch, n, "ms/step", dt / Double(n) * 1e3, "allocs", allocation_count() - a, s.residual, s.steps)
  }
}
BLAS.setThreads(1)
try heat([2, 30, 1], 300, steps: 200000, threads: 2)

