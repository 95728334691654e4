import LinearAlgebra

/// Samples and their targets, split into training and test part.
public struct Dataset: Sendable {
  /// (features, samples) of the training part.
  public let trainInput: Matrix
  /// Values or one-hot classes of the training part.
  public let trainTarget: Matrix
  /// (features, samples) of the test part.
  public let testInput: Matrix
  /// Values or one-hot classes of the test part.
  public let testTarget: Matrix
}

/// Handwritten digits: 1,797 images of 8 × 8 pixels, ten classes.
///
/// The test part of UCI "Optical recognition of handwritten digits" (E. Alpaydin, C. Kaynak 1998;
/// CC BY 4.0), in the source itself (`images`). Pixel values 0–16 are scaled to 0–1. The split is a
/// fixed permutation: 1,297 rows for training, 500 for testing.
public enum Digits {
  /// The row of UCI's table, from 0, that each image of the training and then of the test part is: the permutation of the
  /// split. Other splits of the table are made with it.
  public static var rows: [Int] { rowList.split(whereSeparator: \.isWhitespace).map { Int($0)! } }

  /// The data, one-hot targets.
  public static func load() -> Dataset {
    let pixels = 64
    let lines = images.utf8.split(separator: UInt8(ascii: "\n"))
    var input = Matrix(rows: pixels, columns: lines.count)
    var target = Matrix(rows: 10, columns: lines.count)
    for (j, line) in lines.enumerated() {
      target[Int(line.first! - UInt8(ascii: "0")), j] = 1
      for (i, letter) in line.dropFirst().enumerated() {
        input[i, j] = Double(letter - UInt8(ascii: "a")) / 16
      }
    }
    let (train, test) = (Array(0..<1297), Array(1297..<lines.count))
    return Dataset(
      trainInput: input.columns(train), trainTarget: target.columns(train),
      testInput: input.columns(test), testTarget: target.columns(test))
  }
}
