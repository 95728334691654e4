import CAllocationCounter
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafFlows
import SheafTraining

// Times of a heat step and of a joint training step, with allocations per step, beside the paper's
// implementation (times from Tests/ReferenceData/README.md) or the matrix products they contain; the
// integrators on the case b2; forward passes of networks of convolutions; equilibria beside Euler's
// method; the paper's training runs and the cost of a training step by each rule. With arguments, only the
// cases whose names contain one. Prints one JSON object; fails if a step allocates. `faults` prints how often the
// faulty layer of a network is found, in minutes. `flowlimits [N]` prints a table of N problems (1000) instead: how
// often the equilibrium methods end where the heat flow does; `onnx FILE…` the times of equilibria of networks in
// files.

/// The cost of one more step: the difference of a long and a short run, the best of several pairs.
struct StepCost {
  var milliseconds = Double.infinity
  /// Per step, less one: the list of crossings may grow once while it doubles.
  var allocations = Double.infinity

  init(steps: Int, repeats: Int, run: (Int) throws -> Void) throws {
    func measure(_ n: Int) throws -> (Double, Int) {
      let before = allocation_count()
      let time = try ContinuousClock().measure { try run(n) }
      return (time / .milliseconds(1), allocation_count() - before)
    }
    try run(steps)
    for _ in 0..<repeats {
      let (t1, a1) = try measure(steps)
      let (t2, a2) = try measure(2 * steps)
      milliseconds = min(milliseconds, (t2 - t1) / Double(steps))
      allocations = min(allocations, Double(max(a2 - a1 - 1, 0)) / Double(steps))
    }
  }
}

struct Case {
  let widths: [Int]
  let batch: Int
  let network: Network
  let input: Matrix
  let target: Matrix
  let start: SheafState

  init(_ widths: [Int], batch: Int) throws {
    var generator = RandomGenerator(seed: 1)
    self.widths = widths
    self.batch = batch
    network = try Network(widths: widths, using: &generator)
    input = generator.normalMatrix(rows: widths[0], columns: batch)
    target = generator.normalMatrix(rows: widths.last!, columns: batch)
    start = NeuralSheaf(network).randomState(input, using: &generator)
  }

  func heatStep(threads: Int, steps: Int, repeats: Int) throws -> StepCost {
    let flow = try HeatFlow(
      NeuralSheaf(network), pins: Pins(network: network, input: input))
    return try StepCost(steps: steps, repeats: repeats) { n in
      // The step is stable; saying so here spares the look-up of its bound.
      _ = try Euler(
        step: 1e-3, stop: .change(1e-300), stepLimit: n, allowsUnstable: true, threads: threads
      ).run(flow, from: start)
    }
  }

  func trainingStep(threads: Int, steps: Int, repeats: Int) throws -> StepCost {
    let flow = try JointFlow(
      network, data: TrainingData(input: input, target: target, for: network), initial: start,
      settings: .init(step: 1e-4, threads: threads))
    return try StepCost(steps: steps, repeats: repeats) { _ = flow.takeSteps($0) }
  }

  /// The floating-point operations of the products in a heat step: W a and Wᵀρ for every layer but
  /// the first, whose product with the held input is constant.
  var heatFlops: Double {
    zip(widths.dropFirst(), widths.dropFirst(2)).reduce(0) { $0 + 4 * Double($1.0 * $1.1 * batch) }
  }

  /// Of a joint training step: W a and ρ aᵀ for every layer, Wᵀρ for all but the first.
  var trainingFlops: Double {
    heatFlops
      + zip(widths, widths.dropFirst()).reduce(0) { $0 + 2 * Double($1.0 * $1.1 * batch) }
      + 2 * Double(widths[0] * widths[1] * batch)
  }
}

/// The rate of dgemm in GF/s: two tasks with one thread each, on the largest product of a case.
func dgemmRate(_ m: Int, _ k: Int, _ n: Int, threads: Int) -> Double {
  struct Task: Sendable { var a, b, c: Matrix }
  var generator = RandomGenerator(seed: 2)
  var tasks = (0..<threads).map { _ in
    Task(
      a: generator.normalMatrix(rows: m, columns: k),
      b: generator.normalMatrix(rows: k, columns: n / threads),
      c: Matrix(rows: m, columns: n / threads))
  }
  var best = 0.0
  for _ in 0..<20 {
    let time = ContinuousClock().measure {
      forEachInParallel(&tasks, threads: threads) { task in
        for _ in 0..<10 { task.c.addProduct(task.a, task.b) }
      }
    }
    best = max(best, 20 * Double(m * k * n) / (time / .nanoseconds(1)))
  }
  return best
}

var results: [String: Any] = [:]
var allocates = false
let wanted = CommandLine.arguments.dropFirst()

if wanted.contains("flowlimits") {
  try FlowLimits.printTable(wanted.lazy.compactMap { Int($0) }.first ?? 1000)
  exit(0)
}

if wanted.first == "onnx" {
  try LargeEquilibria.printResults(Array(wanted.dropFirst()))
  exit(0)
}

@MainActor func measure(_ name: String, _ body: () throws -> [String: Any]) rethrows {
  guard wanted.isEmpty || wanted.contains(where: { name.contains($0) }) else { return }
  let result = try body()
  allocates = allocates || result["allocationsPerStep"] as? Double ?? 0 > 0.01
  results[name] = result
}

let small = try Case([2, 30, 1], batch: 300)
func besidePaper(_ cost: StepCost, paper: Double, bar: Double) -> [String: Any] {
  [
    "milliseconds": cost.milliseconds, "bar": bar, "paperMilliseconds": paper,
    "timesFaster": paper / cost.milliseconds, "allocationsPerStep": cost.allocations,
  ]
}
try measure("smallHeatStep [2,30,1]x300") {
  let cost = try small.heatStep(threads: 1, steps: 20_000, repeats: 5)
  return besidePaper(cost, paper: 0.12, bar: 0.015)
}
try measure("smallTrainingStep [2,30,1]x300") {
  let cost = try small.trainingStep(threads: 1, steps: 20_000, repeats: 5)
  return besidePaper(cost, paper: 0.15, bar: 0.02)
}

// Two stages and the evaluation at the end, where nothing switches: patterns that switch are looked up.
try measure("smallChebyshevStep [2,30,1]x300") {
  let flow = try HeatFlow(
    NeuralSheaf(small.network), pins: Pins(network: small.network, input: small.input))
  let rest = flow.sheaf.forwardPass(small.input)
  let cost = try StepCost(steps: 2_000, repeats: 5) { n in
    _ = try RungeKuttaChebyshev(step: 1e-3, stop: .change(1e-300), stepLimit: n, threads: 1)
      .run(flow, from: rest)
  }
  return ["milliseconds": cost.milliseconds, "allocationsPerStep": cost.allocations]
}
try measure("exactFlow b2") { try IntegratorCase().results() }

let large = try Case([784, 512, 512, 10], batch: 256)
let rate = dgemmRate(512, 512, 256, threads: 2)
results["dgemmGigaflopsTwoThreads"] = rate
results["openBLASKernels"] = BLAS.core
@MainActor func besideProducts(_ cost: StepCost, flops: Double, paper: Double) -> [String: Any] {
  let products = flops / rate / 1e6
  return [
    "milliseconds": cost.milliseconds, "productsMilliseconds": products,
    "ratioToProducts": cost.milliseconds / products, "bar": 1.15, "paperMilliseconds": paper,
    "timesFaster": paper / cost.milliseconds, "allocationsPerStep": cost.allocations,
  ]
}
try measure("largeHeatStep [784,512,512,10]x256") {
  let cost = try large.heatStep(threads: 2, steps: 600, repeats: 4)
  return besideProducts(cost, flops: large.heatFlops, paper: 17.5)
}
try measure("largeTrainingStep [784,512,512,10]x256") {
  let cost = try large.trainingStep(threads: 2, steps: 100, repeats: 5)
  return besideProducts(cost, flops: large.trainingFlops, paper: 23)
}

// Rounds of both, the best of each: on a shared machine neither alone means much.
try measure("resnet 3x32x32 x64") {
  let threads = ProcessInfo.processInfo.activeProcessorCount
  let this = ConvolutionalCase.residual(batch: 64)
  let sheaf = NeuralSheaf(this.network)
  let size = this.input.columns
  var full = (0..<size).map { sheaf.zeroState(this.input.columns($0..<$0 + 1)) }
  var (products, forward) = (Double.infinity, Double.infinity)
  var (fullPass, fill) = (Double.infinity, Double.infinity)
  for _ in 0..<30 {
    products = min(products, this.productTime(threads: threads))
    forward = min(forward, this.forwardTime(threads: threads))
    // In blocks of samples, as flows and equilibria run it.
    let time = ContinuousClock().measure {
      forEachInParallel(&full, threads: threads) { sheaf.runForwardPass(&$0) }
    }
    fullPass = min(fullPass, time / .milliseconds(1))
    // What a pass over the whole state costs in memory alone.
    let writing = ContinuousClock().measure {
      forEachInParallel(&full, threads: threads) { state in
        for v in state.stalks.indices.dropFirst() { state.stalks[v].fill(1) }
      }
    }
    fill = min(fill, writing / .milliseconds(1))
  }
  let megabytes = 8e-6 * Double(size * this.network.vertices.reduce(0) { $0 + $1.dimension })
  full = []
  let heat = try this.heatStep(threads: threads, steps: 8, repeats: 5)
  forward = min(forward, this.forwardTime(threads: threads))
  return [
    "productsMilliseconds": products, "forwardMilliseconds": forward,
    "forwardRateToProducts": products / forward, "forwardRateBar": 0.7,
    "fullForwardPassMilliseconds": fullPass,
    "fullForwardPassRateToProducts": products / fullPass,
    "fillStateMilliseconds": fill, "stateMegabytes": megabytes,
    "heatStepMilliseconds": heat.milliseconds,
    "heatStepInForwardPasses": heat.milliseconds / forward, "heatStepBar": 3.5,
    "allocationsPerStep": heat.allocations,
    "peakMegabytes": ConvolutionalCase.peakMegabytes, "peakMegabytesBar": 1000,
  ]
}
try measure("digits-conv x256") {
  let threads = ProcessInfo.processInfo.activeProcessorCount
  let this = ConvolutionalCase.digits(batch: 256)
  var (products, forward) = (Double.infinity, Double.infinity)
  for _ in 0..<200 {
    products = min(products, this.productTime(threads: threads))
    forward = min(forward, this.forwardTime(threads: threads))
  }
  let heat = try this.heatStep(threads: threads, steps: 100, repeats: 5)
  return [
    "productsMilliseconds": products, "forwardMilliseconds": forward, "forwardBar": 1.0,
    "heatStepMilliseconds": heat.milliseconds, "allocationsPerStep": heat.allocations,
  ]
}

try measureEquilibria()
try measureLargeEquilibria()
try measureSpectra()
try measureSheaves()
try measureInference()
try measureTraining()
try measureProbability()
try measureDiagnosis()
try measurePersistence()
try measureCoarsening()
try measureFaults()

let json = try JSONSerialization.data(
  withJSONObject: results, options: [.sortedKeys, .prettyPrinted])
print(String(decoding: json, as: UTF8.self))
if allocates {
  FileHandle.standardError.write(Data("error: a step allocates memory\n".utf8))
  exit(1)
}
