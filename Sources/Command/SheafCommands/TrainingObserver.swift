import ArgumentParser
import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics
import SheafTraining

/// Looks at a network while it is trained: quartiles over some training samples of the ends of their restricted
/// Laplacians' spectra, and the discord of each edge at the equilibria with the output clamped.
struct TrainingObserver {
  /// The steps from one look to the next: at the end of the first epoch after as many.
  private let interval: Int
  let path: String
  private let probe: TrainingData
  private let halt: Halt
  private var rows: [(step: Int, fields: [String])] = []
  private var header: [String] = []
  /// The header of a file that rows stay of.
  private var earlier: [String]?

  /// - Parameter isResumed: whether rows of the file that are of earlier steps stay.
  init(
    every interval: Int, to path: String, on data: TrainingData, samples: Int, isResumed: Bool,
    halt: Halt, network: Network
  ) throws {
    (self.interval, self.path, self.halt) = (interval, path, halt)
    let range = 0..<min(samples, data.count)
    probe = try TrainingData(
      input: data.input.columns(range), target: data.target.columns(range), for: network)
    guard isResumed, FileManager.default.fileExists(atPath: path) else { return }
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw ArrayFileError(file: path, problem: "the observations so far cannot be read")
    }
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    earlier = lines.first
    for fields in lines.dropFirst() where fields.count > 1 {
      if let step = Int(fields[1]) { rows.append((step, fields)) }
    }
  }

  /// `every:N`.
  static func interval(_ text: String) throws -> Int {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "every", let n = Int(parts[1]), n > 0 else {
      throw ValidationError("--observe is \(text), expected every:N with a number of steps N")
    }
    return n
  }

  /// Looks, if it is time to.
  mutating func look(at network: Network, _ record: EpochRecord) throws {
    // A run that goes on from a checkpoint may have seen more than it holds.
    rows.removeAll { $0.step >= record.step }
    let next = rows.last.map { ($0.step / interval + 1) * interval } ?? 0
    guard record.step >= next else { return }
    let sheaf = NeuralSheaf(network)
    var settings = SheafSpectrum.Settings()
    (settings.tolerance, settings.halt) = (1e-4, halt)
    let spectra = SheafSpectrum(sheaf, at: sheaf.forwardPass(probe.input), settings: settings)
    let energy = try EquilibriumRule.energy(
      sheaf, input: probe.input, target: probe.target, coupling: 1)
    var solver = AutomaticSolver()
    solver.settings.halt = halt
    let end = try solver.solve(energy, input: probe.input)
    let discords = energy.discords(at: end.state).edges
    let unsettled = spectra.samples.indices.count {
      spectra.samples[$0].status != .converged || end.statuses[$0] != .converged
    }
    guard halt.reason == nil else { return }
    let measures: [(String, (SampleSpectrum) -> Double)] = [
      ("gap", { $0.gap }), ("largest", { $0.top.value }), ("condition", { $0.condition }),
    ]
    header =
      ["epoch", "step", "unsettled"] + measures.flatMap { ["\($0.0)Low", $0.0, "\($0.0)High"] }
      + discords.map { "discord:\($0.edge)" }
    if let earlier, earlier != header {
      throw ArrayFileError(
        file: path,
        problem: "its columns are \(earlier.joined(separator: ", ")), expected those of this run's "
          + "observations, \(header.joined(separator: ", "))")
    }
    let quartiles = measures.map { Quartiles(spectra.samples.map($0.1)) }
    let values = quartiles.flatMap { [$0.low, $0.median, $0.high] } + discords.map(\.discord)
    rows.append(
      (
        record.step,
        ["\(record.epoch)", "\(record.step)", "\(unsettled)"]
          + values.map { $0.isFinite ? "\($0)" : "" }
      ))
  }

  /// Writes what has been seen.
  func write() throws {
    guard !header.isEmpty else { return }
    var table = Table(header)
    for row in rows { table.append(row.fields) }
    try table.write(to: path)
  }
}
