import Foundation
import Testing

/// What `sheaf train` refuses before any work: exit 64 and one line that names the option.
struct TrainOptionsTests {
  private let command = CommandTests()
  private let base = ["train", "--layers", "2,3,1", "--data", "saddle"]

  private func refuse(_ arguments: [String], _ words: String..., status: Int32 = 64) throws {
    let run = try command.run(arguments)
    #expect(run.status == status, "\(arguments): \(run.error)")
    #expect(run.output.isEmpty, "\(arguments)")
    #expect(run.error.hasPrefix("error: "), "\(arguments): \(run.error)")
    #expect(run.error.split(separator: "\n").count == 1, "\(arguments): \(run.error)")
    for word in words { #expect(run.error.contains(word), "\(arguments): \(run.error)") }
  }

  @Test(arguments: [
    "--rate", "--coupling", "--stiffness", "--damping", "--discord-clip",
    "--relaxation-tolerance",
  ])
  func positiveNumbers(option: String) throws {
    for value in ["0", "-1", "nan", "inf"] {
      try refuse(base + ["\(option)=\(value)"], "\(option) is ", "positive")
    }
    try refuse(base + [option, "x"], option, "x")
  }

  @Test(arguments: ["--alpha", "--beta", "--step"]) func positiveNumbersOfTheFlow(
    option: String
  ) throws {
    for value in ["0", "-1", "nan", "inf"] {
      try refuse(base + ["--method", "flow", "\(option)=\(value)"], "\(option) is ", "positive")
    }
  }

  @Test(arguments: [
    ("--epochs", 0), ("--batch", 0), ("--steps-per-epoch", 0), ("--sweeps", 2),
    ("--relaxation-steps", 0),
  ])
  func counts(option: String, tooFew: Int) throws {
    try refuse(
      base + ["\(option)=\(tooFew)"], "\(option) is \(tooFew)", "at least \(tooFew + 1)")
    try refuse(base + ["\(option)=-3"], "\(option) is -3")
    try refuse(base + ["\(option)=1.5"], option, "1.5")
  }

  @Test func patienceAndValidation() throws {
    try refuse(base + ["--patience", "3"], "--patience needs --validation")
    try refuse(base + ["--validation", "0.2", "--patience", "0"], "--patience is 0")
    for share in ["0", "1", "-0.5", "nan", "0.0001"] {
      let run = try command.run(base + ["--validation=\(share)"])
      #expect(run.status != 0 && run.error.contains("validation is "), "\(run.error)")
      #expect(run.error.split(separator: "\n").count == 1)
    }
    try refuse(
      base + ["--method", "flow", "--initial", "random", "--validation", "0.2"], "--initial",
      "--validation")
    try refuse(base + ["--weight-decay=-1"], "--weight-decay is -1")
    try refuse(base + ["--weight-decay=nan"], "--weight-decay is nan")
  }

  @Test(arguments: ["rate", "coupling", "stiffness"]) func schedules(name: String) throws {
    try refuse(base + ["--\(name)-end", "0.1"], "--\(name)-end needs --\(name)-schedule")
    try refuse(
      base + ["--\(name)-schedule", "anneal", "--\(name)-end", "0.1"], "--\(name)-end needs")
    try refuse(
      base + ["--\(name)-schedule", "linear", "--\(name)-end=-1"], "\(name)-end is -1")
    try refuse(
      base + ["--\(name)-schedule", "geometric", "--\(name)-end=0"], "\(name)-end is 0")
    try refuse(base + ["--\(name)-schedule", "cubic"], "--\(name)-schedule", "cubic")
  }

  /// γ must stay positive: nothing divides by 0.
  @Test func stiffnessStaysPositive() throws {
    for (text, word) in [
      ("affine", "KIND=NUMBER"), ("affine=x", "KIND=NUMBER"), ("nothing=1", "KIND=NUMBER"),
      ("affine=0", "affine"), ("affine=-1", "affine"), ("affine=nan", "affine"),
      ("output=2", "coupling"),
    ] {
      try refuse(base + ["--stiffness-of", text], word)
    }
  }

  @Test(arguments: [
    (["--method", "backpropagation", "--coupling", "1"], "--coupling"),
    (["--method", "backpropagation", "--coupling-schedule", "linear"], "--coupling-schedule"),
    (["--method", "backpropagation", "--stiffness", "2"], "--stiffness"),
    (["--method", "backpropagation", "--stiffness-of", "affine=2"], "--stiffness-of"),
    (["--method", "backpropagation", "--stiffness-schedule", "linear"], "--stiffness-schedule"),
    (["--method", "backpropagation", "--discord-clip", "2"], "--discord-clip"),
    (["--method", "backpropagation", "--relaxation", "direct"], "--relaxation"),
    (["--method", "backpropagation", "--sweeps", "5"], "--sweeps"),
    (["--method", "backpropagation", "--warm-start"], "--warm-start"),
    (["--method", "backpropagation", "--relaxation-steps", "5"], "--relaxation-steps"),
    (["--method", "flow", "--optimizer", "adam"], "--optimizer"),
    (["--method", "flow", "--rate", "1"], "--rate"),
    (["--method", "flow", "--rate-schedule", "linear"], "--rate-schedule"),
    (["--method", "flow", "--weight-decay", "1"], "--weight-decay"),
    (["--method", "flow", "--damping", "1"], "--damping"),
    (["--method", "flow", "--coupling", "1"], "--coupling"),
    (["--beta", "1"], "--beta"), (["--alpha", "2"], "--alpha"), (["--step", "1"], "--step"),
    (["--cold-start"], "--cold-start"), (["--initial", "zeros"], "--initial"),
    (["--method", "coordinate", "--relaxation", "direct"], "--relaxation"),
    (["--method", "coordinate", "--sweeps", "5"], "--sweeps"),
    (["--warm-start"], "--warm-start"), (["--reinitialize"], "--reinitialize"),
    (["--network", "a.npz"], "--network"), (["--method", "magic"], "magic"),
    (["--optimizer", "magic"], "magic"), (["--relaxation", "magic"], "magic"),
    (["--checkpoint", "c.npz"], "c.npz"), (["--history", "h.txt"], "h.txt"),
  ])
  func optionsOfOtherMethods(options: [String], word: String) throws {
    try refuse(base + options, word)
  }

  /// A rate that blows up says so, and does not write over a network.
  @Test func divergenceIsSaid() throws {
    let out = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).npz"
    let run = try command.run(
      base + [
        "--optimizer", "gradient", "--rate", "1e200", "--epochs", "5", "--out", out, "--json",
      ])
    #expect(run.status == 1 && run.json["status"] as? String == "diverged")
    #expect(run.error.contains("--rate") && run.error.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: out))
  }
}
