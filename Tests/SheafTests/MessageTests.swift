import ArrayFiles
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCommands

/// Mistakes that people make: one line with the option or file, the value found and the value expected.
struct MessageTests {
  private let command = CommandTests()
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try NPZ.write(
      [
        "x": NumericArray(shape: [3, 2], elements: [1, 2, 3, 4, 5, 6]),
        "classes": NumericArray(shape: [3], elements: [0, 1, 1]),
      ], to: folder + "data.npz")
    let made = try command.run(["init", "--layers", "2,4,2", "--out", folder + "n.npz"])
    #expect(made.status == 0, "\(made.error)")
    try "no checkpoint".write(
      toFile: folder + "torch.safetensors", atomically: true, encoding: .utf8)
  }

  /// Runs calls in which `%` stands for the folder, and looks for words in the one line of error.
  private func check(_ cases: [(call: String, status: Int32, words: [String])]) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (call, status, words) in cases {
      let words = words.map { $0.replacingOccurrences(of: "%", with: folder) }
      let run = try command.run(call.replacingOccurrences(of: "%", with: folder).words())
      #expect(run.status == status, "\(call): \(run.error)")
      #expect(run.output.isEmpty, "\(call): \(run.output)")
      #expect(run.error.hasPrefix("error: ") && run.error.hasSuffix("\n"), "\(call): \(run.error)")
      #expect(run.error.split(separator: "\n").count == 1, "\(call): \(run.error)")
      for word in words { #expect(run.error.contains(word), "\(call): \(run.error)") }
    }
  }

  @Test func subcommandsAndOptionsAreNamed() throws {
    let train = "train --layers 2,3,1 --data saddle"
    try check([
      ("training --layers 2,2,1", 64, ["training", "no such subcommand", "did you mean train?"]),
      ("equilibrat %n.npz", 64, ["equilibrat: no such", "did you mean equilibrate?"]),
      ("Flow %n.npz", 64, ["did you mean flow?"]),
      ("nonsense", 64, ["nonsense", "inspect, forward", "demo or manual"]),
      ("--json inspect %n.npz", 64, ["--json", "subcommand first"]),
      ("train --layer 2,4,1 --data saddle", 64, ["--layer;", "did you mean --layers?"]),
      ("forward %n.npz --inputs %data.npz#x", 64, ["--inputs", "did you mean --input?"]),
      ("forward %n.npz --inptu %data.npz#x", 64, ["--inptu", "did you mean --input?"]),
      ("forward --verson", 64, ["--verson", "did you mean --version?"]),
      ("train --layers 2,1 --input %data.npz#x", 64, ["--target or --labels, found neither"]),
      (
        "train --layers 2,1 --data saddle --labels %data.npz#x", 64,
        ["--data has its own targets", "found --labels"]
      ),
      ("flow %n.npz --input x.npy --nonsense 3", 64, ["sheaf flow has no option --nonsense"]),
      ("inspect %n.npz -v", 64, ["no option -v"]),
      ("forward %n.npz %n.npz --input x.npy", 64, ["unexpected argument", "NETWORK"]),
      ("forward", 64, ["no NETWORK"]), ("convert %n.npz", 64, ["no OUT"]),
      ("forward %n.npz", 64, ["--input"]),
      (train + " --rate", 64, ["--rate: no value", "end of the line"]),
      (train + " --rate --json", 64, ["--rate: no value", "--json"]),
      (train + " --json=yes", 64, ["--json takes no value", "yes"]),
      (train + " --rate 1 --rate=2", 64, ["--rate is given twice, 1 and 2"]),
    ])
  }

  @Test func valuesAreNamed() throws {
    let (train, flow) = ("train --layers 2,3,1 --data saddle", "flow %n.npz --input %data.npz#x")
    try check([
      (train + " --rate -0.1", 64, ["--rate is -0.1", "positive"]),
      (train + " --rate -1e-3", 64, ["--rate is -0.001", "positive"]),
      (train + " --rate -inf", 64, ["--rate is -inf", "positive"]),
      (train + " --seed -4", 64, ["--seed -4", "whole number, 0 or more"]),
      (train + " --epochs -3", 64, ["--epochs is -3", "at least 1"]),
      (train + " --epochs 2.5", 64, ["--epochs 2.5", "whole number"]),
      (train + " --rate 0,5", 64, ["--rate 0,5", "decimal point", "0.5"]),
      (train + " --rate fast", 64, ["--rate fast", "expected a number"]),
      (train + " --optimizer adm", 64, ["--optimizer adm", "gradient, momentum", "mean adam?"]),
      (train + " --time-limit 0", 64, ["--time-limit is 0", "positive"]),
      ("train --data saddle", 64, ["--layers or --network", "neither"]),
      ("train --layers 2,3,1 --network %n.npz --data saddle", 64, ["--layers or", "both"]),
      ("init --layers 2,x,1 --out %o.npz", 64, ["--layers 2,x,1", "\"x\"", "64,128,10"]),
      ("init --layers 50000,40000 --out %o.npz", 64, ["50000, 40000", "2^28"]),
      ("init --layers 2,0 --out %o.npz", 64, ["--layers 2,0"]),
      (train + " --prefix init_", 64, ["--prefix is for --network", "--layers draws"]),
      (flow + " --initial-prefix init_", 64, ["--initial-prefix", ".npz", "--initial FILE"]),
      (flow + " --time -1", 64, ["--time is -1", "positive"]),
      (flow + " --alpha=-2", 64, ["--alpha is -2", "positive"]),
      (flow + " --trajectory-stalks z1", 64, ["--trajectory-stalks needs --trajectory"]),
      (
        flow + " --trajectory %t.csv --trajectory-stalks z9", 1,
        ["--trajectory-stalks z9", "x, z1, a1, z2"]
      ),
      (
        flow + " --trajectory %t.csv --trajectory-stalks z1[4]", 64,
        ["--trajectory-stalks z1[4]", "4 is outside z1", "0:4"]
      ),
    ])
  }

  @Test func pinsAreNamed() throws {
    let flow = "flow %n.npz --input %data.npz#x"
    try check([
      (flow + " --pin z1[0]=1@2", 64, ["--pin z1[0]=1@2", "no stiffness", "--soft-pin"]),
      (flow + " --pin z1[0]=0,5", 64, ["--pin z1[0]=0,5", "0.5"]),
      (flow + " --soft-pin z1[0]=0,5@1", 64, ["--soft-pin z1[0]=0,5@1", "0.5"]),
      (flow + " --soft-pin z1=1@x", 64, ["--soft-pin z1=1@x", "\"x\"", "GAMMA"]),
      (flow + " --soft-pin z1=1@-2", 64, ["γ = -2", "positive"]),
      (flow + " --pin z1=many", 64, ["--pin z1=many", "\"many\"", "a number or an ARRAY"]),
      (flow + " --pin z1=", 64, ["no value"]), (flow + " --pin z1", 64, ["no \"=\""]),
      (flow + " --pin 'z1[0 = 1'", 64, ["no \"]\""]),
      (flow + " --pin z1[-1]=1", 64, ["-1 is outside z1", "0:4"]),
      (
        flow + " --pin output=%data.npz#classes", 1,
        ["(1 sample, 3)", "(3 samples, or 1", "one-hot", "--labels"]
      ),
    ])
  }

  /// Spaces and negative numbers are no mistakes.
  @Test func pinsMayHaveSpaces() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func output(_ pins: String...) throws -> [[Double]] {
      let run = try command.run(
        ["equilibrate", folder + "n.npz", "--input", folder + "data.npz#x", "--json"] + pins)
      #expect(run.status == 0, "\(run.error)")
      return run.json["output"] as? [[Double]] ?? []
    }
    let plain = try output("--pin=z1[0,2]=-1", "--soft-pin", "a1[1]=-2@0.5")
    #expect(plain.count == 3)
    #expect(
      try output("--pin", " z1 [0, 2] = -1 ", "--soft-pin", "a1[1] = -2 @ 0.5") == plain)
  }

  @Test func filesAreNamed() throws {
    let (train, flow) = ("train --layers 2,3,1 --data saddle", "flow %n.npz --input %data.npz#x")
    try check([
      ("inspect %", 1, ["is a folder", "NETWORK"]),
      ("forward %n.npz --input %", 1, ["is a folder", "--input"]),
      (train + " --out %", 1, ["is a folder", "--out"]),
      ("convert %n.npz %", 1, ["is a folder", "OUT"]),
      (train + " --out %o.txt", 64, ["--out %o.txt", ".onnx, .safetensors, .npz"]),
      (train + " --history %h.txt", 64, ["--history %h.txt", ".csv"]),
      (train + " --history -", 64, ["--history -", ".csv"]),
      (flow + " --final %none/f.npz", 1, ["%none/f.npz", "no folder"]),
      (flow + " --trajectory - --json", 64, ["--trajectory and --json", "standard output"]),
      (train + " --checkpoint %none/c.safetensors", 1, ["%none/c.safetensors", "no folder"]),
      (
        "train --resume %torch.safetensors", 1,
        ["%torch.safetensors", "is no checkpoint", "--checkpoint wrote"]
      ),
      ("train --resume %n.npz", 1, ["%n.npz", "is no checkpoint"]),
      ("train --resume %none.safetensors", 1, ["%none.safetensors", "no such file"]),
      ("demo --out %data.npz", 1, ["%data.npz", "a file of this name is there"]),
    ])
  }

  @Test func specificationsAreCheckedLikeCalls() throws {
    let compare = "compare --task saddle --method backpropagation"
    try check([
      (compare + " --method 'a: --help'", 64, ["--method a has no option --help"]),
      (compare + " --method 'a: --layer 2,3,1'", 64, ["--method a", "mean --layers?"]),
      (compare + " --method 'a: --rate -1'", 64, ["a:", "--rate is -1"]),
      (compare + " --method 'a: --seed 3'", 64, ["--method a", "--seed is set by --seeds"]),
      (compare + " --method \"a: --input 'x y\"", 64, ["without its other half"]),
      (compare + " --method equilibrum", 64, ["did you mean equilibrium?"]),
      (compare + " --csv - --runs -", 64, ["--csv and --runs", "standard output"]),
    ])
  }

  @Test func wordsAreAShells() throws {
    #expect(try "a  b\tc".words() == ["a", "b", "c"])
    #expect(try "--x 'a b' \"c'd\" e''f ''".words() == ["--x", "a b", "c'd", "ef", ""])
    #expect(throws: (any Error).self) { try "a 'b".words() }
  }

  /// The declared names are those that the parser knows.
  @Test func declarationsAreTheParsers() throws {
    func named(_ json: Any) -> [String: Set<String>] {
      var result: [String: Set<String>] = [:]
      for command in (json as? [String: Any])?["subcommands"] as? [[String: Any]] ?? [] {
        let arguments = command["arguments"] as? [[String: Any]] ?? []
        let names = arguments.flatMap { argument in
          (argument["names"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        }
        result[command["commandName"] as? String ?? ""] = Set(names)
      }
      return result
    }
    let run = try command.run(["--experimental-dump-help"])
    let commands = named(run.json["command"] as Any)
    #expect(commands.count >= 9)
    for type in Sheaf.configuration.subcommands {
      let own = Set(Declarations(of: type).options.map(\.name))
      let parsers = commands[type._commandName] ?? []
      #expect(own == parsers.subtracting(["help", "h", "version"]), "\(type)")
    }
  }
}
