import ArgumentParser
import Foundation
import LinearAlgebra
import NeuralSheaves
import Reproduction

struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The paper's figures and tables, from runs of one's own.",
    discussion: """
      Writes figures (SVG, PDF, and gnuplot's commands with the data), tables (CSV and Markdown) and one page, \
      index.html, that shows them all beside the paper's numbers. What is there already is kept: a run that was ended \
      half-way goes on where it was. Exhibits: \(Exhibit.all.map(\.name).joined(separator: ", ")).

      Examples:
      sheaf reproduce all --quick
      sheaf reproduce training-table pinned-table --out tables
      """)

  @Argument(help: "all, or the names of exhibits.") var names: [String]
  @Option(help: "The folder to write to.") var out = "reproduction"
  @Flag(help: "Shorter runs and thinner sweeps: all in less than a minute.") var quick = false
  @OptionGroup var limit: TimeLimitOption

  private func exhibits() throws -> [Exhibit] {
    let chosen = try names.filter { $0 != "all" }.map { name in
      if let exhibit = Exhibit.all.first(where: { $0.name == name }) { return exhibit }
      let known = Exhibit.all.map(\.name)
      let nearest = name.nearest(among: known).map { "; nearest is \($0)" } ?? ""
      throw ValidationError(
        "there is no exhibit \"\(name)\"\(nearest). Expected all or some of "
          + known.joined(separator: ", "))
    }
    return Exhibit.all.filter { exhibit in
      names.contains("all") || chosen.contains { $0.name == exhibit.name }
    }
  }

  func validate() throws { _ = try exhibits() }

  func run() throws {
    let exhibits = try exhibits()
    var folder = try ReproductionFolder(out, isQuick: quick, version: Version.number)
    let bar = ProgressBar()
    let halt = Halt.onSignals(timeLimit: limit.timeLimit)
    let missing = exhibits.filter { !folder.holds($0) }
    var done = 0
    let laboratory = Laboratory(isQuick: quick, halt: halt) {
      bar.show(done, of: missing.count, $0)
    }
    var problems: [String] = []
    let clock = ContinuousClock()
    for exhibit in missing {
      let start = clock.now
      do {
        let findings = try laboratory.findings(of: exhibit)
        let seconds = (clock.now - start) / .seconds(1)
        if let problem = try folder.write(findings, of: exhibit, seconds: seconds) {
          problems.append("figures are not drawn: \(problem)")
        }
      } catch is Laboratory.Interrupted {
        break
      } catch {
        problems.append("\(exhibit.name): \(error)")
        continue
      }
      done += 1
    }
    bar.end()
    try folder.writePage()
    var delivery = Delivery()
    let kept = exhibits.count - missing.count
    delivery.print(
      "\(out)/index.html: \(done) of \(missing.count) \(missing.count == 1 ? "exhibit" : "exhibits") made"
        + (kept > 0 ? ", \(kept) kept" : ""))
    let ending: String? =
      halt.reason != nil && done < missing.count
      ? "\(missing.count - done) exhibits are left: "
        + (halt.reason?.haltWords ?? "interrupted")
      : problems.isEmpty ? nil : problems.uniqued.joined(separator: "; ")
    try delivery.end(ending.map { WorkFailure(description: $0) })
  }
}
