import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import Testing

/// What `sheaf equilibrate` refuses, and how it says so.
extension EquilibrateTests {
  @Test func everySampleOfATargetIsChecked() throws {
    let r = try Reference("b6_253_softmax")
    let x = Matrix(rows: 2, columns: 2)
    for (y, words) in [
      ([0.5, 0.5, 0, 0, 1.5, -0.5], ["sample 1, coordinate 1", "1.5"]),
      ([0.5, 0.5, 0, 0.5, 0.25, 0], ["sample 1", "0.75", "1 for softmax"]),
    ] {
      try NPZ.write(
        ["x": NumericArray(samples: x), "y": NumericArray(shape: [2, 3], elements: y)],
        to: folder + "data.npz")
      for subcommand in ["flow", "equilibrate"] {
        for activation in ["softmax", "identity"] {
          let run = try command.sheaf(
            subcommand, r.path, "--input", folder + "data.npz#x", "--pin",
            "output=\(folder)data.npz#y", "--output-energy", "crossEntropy", "--output-activation",
            activation)
          #expect(run.status == 1)
          for word in words { #expect(run.error.contains(word), "\(run.error)") }
        }
      }
    }
  }

  @Test func divergedSamplesNameTheScale() throws {
    let b1 = Reference.folder.appendingPathComponent("b1_241_identity.npz").path
    try NPZ.write(
      ["x": NumericArray(samples: Matrix(rows: 2, columns: 2))], to: folder + "zero.npz")
    for method in ["auto", "iterative", "flow"] {
      let run = try command.sheaf(
        "equilibrate", b1, "--input", folder + "zero.npz#x", "--pin", "output=1e200", "--method",
        method)
      #expect(run.status == 1 && run.error.contains("diverged"), "\(run.error)")
      #expect(run.error.contains("pinned values up to 1e+200"), "\(run.error)")
    }
  }

  @Test func badInputGetsOneError() throws {
    let b1 = Reference.folder.appendingPathComponent("b1_241_identity.npz").path
    try NPZ.write(
      [
        "nan": NumericArray(shape: [4, 1], elements: [0, 0, .nan, 0]),
        "three": NumericArray(shape: [3, 4], elements: [Double](repeating: 0, count: 12)),
      ], to: folder + "data.npz")
    let usage: [([String], [String])] = [
      (["--pin", "z1[0,0]=1"], ["--pin z1[0,0]=1", "z1[0] is named twice"]),
      (["--pin", "z1[0:3,2]=1"], ["z1[2] is named twice"]),
      (["--pin", "z1[99]=1"], ["99", "z1", "0:4"]),
      (["--pin", "z1[2:6]=1"], ["2:6", "0:4"]),
      (["--pin", "z1[a]=1"], ["\"a\"", "index"]),
      (["--pin", "z1[0=1"], ["no \"]\""]),
      (["--pin", "z1=nan"], ["--pin z1=nan", "finite"]),
      (["--soft-pin", "z1=0@0"], ["--soft-pin z1=0@0", "γ", "positive"]),
      (["--soft-pin", "z1=0@-1"], ["γ"]), (["--soft-pin", "z1=0@inf"], ["γ"]),
      (["--soft-pin", "z1=0@nan"], ["γ"]), (["--soft-pin", "z1=0"], ["@"]),
      (["--pin", "output=1", "--coupling", "0"], ["--coupling is 0", "positive"]),
      (["--pin", "output=1", "--coupling", "nan"], ["--coupling is nan", "positive"]),
      (["--coupling", "1"], ["--coupling", "--pin on output"]),
      (["--coupling", "1", "--soft-pin", "output=1@2"], ["--pin on output"]),
      (["--tolerance", "0"], ["--tolerance is 0", "positive"]),
      (["--steps", "0"], ["--steps is 0"]),
      (["--free", "z1"], ["--free z1", "x[0:2]"]), (["--free", "x[2]"], ["--free x[2]", "0:2"]),
      (["--method", "magic"], ["magic", "direct"]),
      (["--least-norm", "--method", "flow"], ["--least-norm", "direct", "flow"]),
      (["--final", "stalks.npy"], [".npz"]),
    ]
    let work: [([String], [String])] = [
      (
        ["--pin", "z1=0", "--pin", "z1[2]=1"],
        ["--pin z1=0 at 0.0", "--pin z1[2]=1 at 1.0", "z1[2] of sample 0"]
      ),
      (["--pin", "output=0", "--pin", "z2=1"], ["--pin output=0", "--pin z2=1"]),
      (["--pin", "zl=0"], ["did you mean \"z1\"?", "x, z1, a1, z2, output"]),
      (["--pin", "Output=0"], ["did you mean \"output\"?"]),
      (["--pin", "nonsense=0"], ["\"nonsense\"; the network has"]),
      (
        ["--pin", "z1=\(folder)data.npz#nan"],
        ["data.npz#nan", "sample 0, coordinate 2", "not finite"]
      ),
      (
        ["--pin", "z1=\(folder)data.npz#three"],
        ["data.npz#three", "(4 samples, 3)", "(1 sample, 4)"]
      ),
      (["--pin", "z1=nowhere.npy"], ["nowhere.npy", "no such file"]),
      (["--final", "/nowhere/at/all.npz"], ["/nowhere/at/all.npz", "no folder"]),
      (["--final", "/nowhere/at/all.npz", "--prefix", "q_"], ["no folder"]),
      (["--free", "x"], ["0:2", "soft pin on x"]),
    ]
    for (status, cases) in [(Int32(64), usage), (1, work)] {
      for (arguments, words) in cases {
        let run = try command.run(
          ["equilibrate", b1, "--input", b1 + "#X", "--samples", "columns"] + arguments)
        #expect(run.status == status, "\(arguments): \(run.error)")
        #expect(run.output.isEmpty && run.error.hasPrefix("error: "), "\(arguments): \(run.error)")
        #expect(run.error.split(separator: "\n").count == 1, "\(arguments): \(run.error)")
        for word in words { #expect(run.error.contains(word), "\(arguments): \(run.error)") }
      }
    }
  }
}
