import ArrayFiles
import Datasets
import Foundation
import LinearAlgebra
import Testing

/// The digits in the source are the published table in the order of the published split.
struct DigitsTests {
  @Test func imagesAreTheTable() throws {
    let folder = Reference.folder.appendingPathComponent("digits")
    let table = try ArrayFile.read(folder.appendingPathComponent("digits.csv").path).samples
    let order = try ArrayFile.read(folder.appendingPathComponent("digits-split.csv").path)
      .elements.map { Int($0) }
    #expect(order.sorted() == Array(0..<1797))
    let set = Digits.load()
    #expect(set.trainInput.columns == 1297 && set.testInput.columns == 500)
    var compared = 0
    for (j, row) in order.enumerated() {
      let isTraining = j < 1297
      let k = isTraining ? j : j - 1297
      let (input, target) =
        isTraining ? (set.trainInput, set.trainTarget) : (set.testInput, set.testTarget)
      for i in 0..<64 where input[i, k] == table[i, row] / 16 { compared += 1 }
      for c in 0..<10 { #expect(target[c, k] == (Double(c) == table[64, row] ? 1 : 0)) }
    }
    #expect(compared == 64 * 1797)
  }

  /// The command needs no file beside itself: alone in a folder it finds the digits.
  @Test func theCommandRunsWhenCopiedAlone() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("sheaf-alone-\(UInt64.random(in: 0...UInt64.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let copy = folder.appendingPathComponent("sheaf")
    try FileManager.default.copyItem(at: CommandTests.executable, to: copy)
    let run = try CommandTests().run(
      ["train", "--layers", "64,10", "--data", "digits", "--epochs", "1", "--json"],
      executable: copy)
    #expect(run.status == 0, "\(run.error)")
    #expect(run.json["testAccuracy"] is Double)
  }
}
