import Foundation
import LinearAlgebra
import Testing

/// Where the random choices of property tests come from: the seeds of their cases, shifted by SHEAF_SEED.
///
/// A case keeps its number, and with it the depth or size of its network, whatever the shift; `make test-seeds`
/// runs the laws under several.
enum Seeds {
  /// The shift; a failure is repeated by setting the same.
  static let shift: UInt64 = {
    let text = ProcessInfo.processInfo.environment["SHEAF_SEED"] ?? "0"
    guard let value = UInt64(text) else {
      preconditionFailure("SHEAF_SEED is \"\(text)\", expected a whole number")
    }
    return value
  }()
}

extension RandomGenerator {
  /// The generator of a property test's case.
  init(case seed: UInt64) { self.init(seed: seed &+ Seeds.shift &* 0x9e37_79b9_7f4a_7c15) }

  /// A whole number in a range.
  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(uniform(0, Double(range.count)))
  }
}

/// What a check over many seeds has compared, and what it has to say against it.
struct Tally: Sendable {
  private(set) var compared = 0
  private(set) var failures: [String] = []

  /// Counts a comparison.
  mutating func expect(_ isTrue: Bool, _ message: @autoclosure () -> String) {
    compared += 1
    if !isTrue { failures.append(message()) }
  }

  /// Runs a check on every seed, the seeds shared out over the processors.
  ///
  /// A test that looks at some of its cases only must say how many they were: this counts them over all seeds.
  static func over(
    _ seeds: [UInt64], _ check: @Sendable (UInt64, inout Tally) throws -> Void
  ) throws -> Tally {
    struct Run: Sendable {
      let seed: UInt64
      var result: Result<Tally, any Error> = .success(Tally())
    }
    var runs = seeds.map { Run(seed: $0) }
    forEachInParallel(&runs, threads: 2) { run in
      run.result = Result {
        var tally = Tally()
        try check(run.seed, &tally)
        return tally
      }
    }
    return try runs.reduce(into: Tally()) {
      let part = try $1.result.get()
      $0.compared += part.compared
      $0.failures += part.failures
    }
  }

  /// Fails for what the check had to say, and where it compared too little.
  func check(
    atLeast least: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      failures.isEmpty, "SHEAF_SEED=\(Seeds.shift), \(failures.count) of \(compared): \(failures)",
      sourceLocation: sourceLocation)
    #expect(
      compared >= least, "SHEAF_SEED=\(Seeds.shift): \(compared) compared",
      sourceLocation: sourceLocation)
  }
}
