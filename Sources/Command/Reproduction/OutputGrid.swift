import Datasets
import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// A grid over the inputs of a task in the plane.
struct OutputGrid {
  let x: [Double]
  let y: [Double]
  private let input: Matrix

  /// Over the rectangle of some samples.
  init(_ samples: Matrix, count: Int = 61) {
    func axis(_ row: Int) -> [Double] {
      let values = (0..<samples.columns).map { samples[row, $0] }
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
    }
    let (across, along) = (axis(0), axis(1))
    (x, y) = (across, along)
    input = Matrix(
      rows: 2, columns: count * count,
      columnMajor: along.flatMap { v in across.flatMap { [$0, v] } })
  }

  /// What a network makes of it, row by row: values, the probability of class 1, the likeliest class.
  func values(of network: Network) -> [Double] {
    let z = network.logits(input)
    return (0..<z.columns).map { j in
      if z.rows > 1 { return Double((0..<z.rows).max { z[$0, j] < z[$1, j] }!) }
      return network.outputActivation == .sigmoid ? 1 / (1 + exp(-z[0, j])) : z[0, j]
    }
  }

  /// The function to be learned; nil for classes.
  func target(_ task: SyntheticTask) -> [Double]? {
    let values = (0..<input.columns).compactMap { task.value(input[0, $0], input[1, $0]) }
    return values.isEmpty ? nil : values
  }

  /// Round levels between two values.
  func levels(_ low: Double, _ high: Double) -> [Double] {
    guard high > low else { return [] }
    let rough = (high - low) / 8
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough }!
    let first = Int((low / step).rounded(.up))
    return (first...max(first, Int((high / step).rounded(.down)))).map { Double($0) * step }
  }

  /// The samples of each class; over a picture in ink and paper.
  func points(_ data: TrainingData, overPicture: Bool) -> [Layer] {
    let classes = max(data.target.rows, 2)
    return (0..<classes).map { c in
      let members = (0..<data.count).filter { j in
        data.target.rows == 1
          ? Int(data.target[0, j].rounded()) == c
          : (0..<classes).max { data.target[$0, j] < data.target[$1, j] }! == c
      }
      let colour: Colour = overPicture ? (c % 2 == 0 ? .ink : .paper) : .series(c)
      return .points(
        x: members.map { data.input[0, $0] }, y: members.map { data.input[1, $0] },
        style: PointStyle(
          colour, marker: [.circle, .openCircle, .cross, .square][c % 4], size: 2))
    }
  }
}
