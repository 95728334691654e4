import ArrayFiles
import Foundation
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
/// CC BY 4.0). Pixel values 0–16 are scaled to 0–1. The split is a fixed permutation: 1,297 rows
/// for training, 500 for testing.
public enum Digits {
  /// The data, one-hot targets.
  public static func load() throws(ArrayFileError) -> Dataset {
    let table = try resource("digits")
    let order = try resource("digits-split").elements.map { Int($0) }
    let n = table.shape[0]
    guard table.shape[1] == 65, order.sorted() == Array(0..<n) else {
      throw ArrayFileError(
        file: "digits.csv", problem: "shape \(table.shape), expected 65 columns and their split")
    }
    let all = table.samples
    var input = all.rows(0..<64)
    input.scale(by: 1.0 / 16)
    var target = Matrix(rows: 10, columns: n)
    for j in 0..<n { target[Int(all[64, j]), j] = 1 }
    let (train, test) = (Array(order.prefix(1297)), Array(order.dropFirst(1297)))
    return Dataset(
      trainInput: input.columns(train), trainTarget: target.columns(train),
      testInput: input.columns(test), testTarget: target.columns(test))
  }

  private static func resource(_ name: String) throws(ArrayFileError) -> NumericArray {
    guard
      let url = Bundle.module.url(
        forResource: name, withExtension: "csv", subdirectory: "Resources")
    else {
      throw ArrayFileError(file: name + ".csv", problem: "the resource is missing")
    }
    return try ArrayFile.readCSV(url.path).columns("")
  }
}
