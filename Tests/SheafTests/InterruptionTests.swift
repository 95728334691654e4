import ArrayFiles
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCommands

/// Ctrl-C and --time-limit: one line, exit 1, and what was computed.
struct InterruptionTests {
  private let command = CommandTests()
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let made = try command.sheaf(
      "init", "--layers", "10,400,400,10", "--out", folder + "big.npz")
    #expect(made.status == 0, "\(made.error)")
    var g = RandomGenerator(seed: 0)
    let x = g.normalMatrix(rows: 10, columns: 2000)
    try ArrayFile.write(NPY.encode(NumericArray(samples: x)), to: folder + "x.npy")
  }

  /// Calls that end only when they are made to, with the files that they leave.
  static let endless: [(call: String, files: [String])] = [
    (
      "flow B --tolerance 1e-300 --steps 1000000000 --final %f.npz --json",
      ["f.npz"]
    ),
    (
      "flow B --method rkc --tolerance 1e-300 --steps 1000000000 --final %f.npz --json", ["f.npz"]
    ),
    (
      // Not endless, but some minutes long.
      "equilibrate %big.npz --input %x.npy --pin output=1 --method iterative --json --final %f.npz "
        + "--per-sample %f.csv", ["f.npz", "f.csv"]
    ),
    (
      "train --layers 2,9,1 --data saddle --epochs 1000000000 --json --history %f.csv --out %f.npz",
      ["f.csv", "f.npz"]
    ),
    (
      "compare --task 'a: --layers 2,9,1 --data saddle --epochs 1000000000' --method backpropagation "
        + "--csv %f.csv --json", ["f.csv"]
    ),
  ]

  private func words(_ call: String) throws -> [String] {
    let x = command.b1
    return try call.replacingOccurrences(of: "%", with: folder)
      .replacingOccurrences(of: " B ", with: " \(x) --input \(x)#X --samples columns ").words()
  }

  private func check(
    _ run: CommandTests.Outcome, _ status: String, _ word: String, _ call: String, files: [String]
  ) {
    #expect(run.status == 1, "\(call): \(run.error)")
    #expect(run.json["status"] as? String == status, "\(call): \(run.output)")
    #expect(run.error.hasPrefix("error: ") && run.error.contains(word), "\(call): \(run.error)")
    #expect(run.error.split(separator: "\n").count == 1, "\(call): \(run.error)")
    for name in files {
      #expect(FileManager.default.fileExists(atPath: folder + name), "\(call): \(name)")
    }
  }

  @Test(arguments: endless.indices) func timeLimitsEndCalls(index: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (call, files) = Self.endless[index]
    let run = try command.run(words(call) + ["--time-limit", "0.3"])
    check(run, "timeLimit", "--time-limit", call, files: files)
  }

  /// A signal when the call has worked for a while: the processor's time, not the clock's.
  @Test(arguments: endless.indices, [SIGINT, SIGTERM]) func signalsEndCalls(
    index: Int, number: Int32
  ) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (call, files) = Self.endless[index]
    let run = try command.run(words(call)) { process in
      while process.isRunning && processorSeconds(process.processIdentifier) < 2 { usleep(10_000) }
      kill(process.processIdentifier, number)
    }
    check(run, "interrupted", "interrupted", call, files: files)
  }

  /// At any time: all or nothing on standard output, exit 0 or 1, one line where it is 1.
  @Test func signalsAtAnyTime() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let seed = UInt64.random(in: 0...UInt64.max)
    var g = RandomGenerator(seed: seed)
    var ended = 0
    for round in 0..<15 {
      for call in ["inspect % --json", "forward B --json", "flow B --json", "demo --out %demo"] {
        let call = call.replacingOccurrences(of: "inspect %", with: "inspect \(command.b1)")
        let seconds = g.uniform(0, 0.4)
        let run = try command.run(words(call)) { process in
          // Before it has begun to run a process ends as every process does.
          while process.isRunning && processorSeconds(process.processIdentifier) < 0.05 {
            usleep(1000)
          }
          usleep(UInt32(seconds * 1e6))
          if process.isRunning { kill(process.processIdentifier, SIGINT) }
        }
        #expect([0, 1].contains(run.status), "seed \(seed), round \(round), \(call): \(run.error)")
        #expect(
          run.error.split(separator: "\n").count == Int(run.status), "seed \(seed): \(run.error)")
        if run.status == 1 { ended += 1 }
        if call.contains("--json") && !run.output.isEmpty {
          #expect(!run.json.isEmpty, "seed \(seed), \(call): \(run.output.prefix(200))")
        }
      }
    }
    #expect(ended > 0, "seed \(seed)")
  }

  /// The processor's time that a process has had.
  private func processorSeconds(_ identifier: Int32) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      return 0
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
