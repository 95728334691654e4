import CellComplexes

/// The cells of a box of cubes that extend along the same axes: one after the other by their least vertices, the last
/// axis fastest.
struct CubeBlock: Sendable, Equatable {
  /// The axes, ascending.
  let axes: [Int]
  /// The number of the first of the cells.
  let start: Int
  /// The number of places along each axis.
  let shape: [Int]

  init(axes: [Int], start: Int, vertexShape: [Int]) {
    (self.axes, self.start) = (axes, start)
    shape = vertexShape.indices.map { vertexShape[$0] - (axes.contains($0) ? 1 : 0) }
  }

  /// The number of cells.
  var count: Int { shape.reduce(1, *) }

  /// The distance of the numbers of neighbours along each axis.
  private var strides: [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  func cell(at corner: [Int]) -> Int? {
    guard zip(corner, shape).allSatisfy({ (0..<$1).contains($0) }) else { return nil }
    return zip(corner, strides).reduce(start) { $0 + $1.0 * $1.1 }
  }

  func corner(of cell: Int) -> [Int] {
    zip(strides, shape).map { (cell - start) / $0 % $1 }
  }

  /// Adds the cells, whose faces are among those of other blocks.
  func addCells(to builder: inout CellComplex.Builder, faces blocks: [CubeBlock]) {
    let sides = axes.enumerated().map { place, axis in
      let block = blocks.first { $0.axes == axes.filter { $0 != axis } }!
      let strides = [Int](repeating: 0, count: 3 - shape.count) + block.strides
      return (
        start: block.start, strides: strides, step: block.strides[axis],
        sign: place % 2 == 0 ? 1 : -1
      )
    }
    let box = [Int](repeating: 1, count: 3 - shape.count) + shape
    for x in 0..<box[0] {
      for y in 0..<box[1] {
        for z in 0..<box[2] {
          builder.addCell()
          for side in sides {
            let low =
              side.start + x * side.strides[0] + y * side.strides[1] + z * side.strides[2]
            builder.addFace(low, sign: -side.sign)
            builder.addFace(low + side.step, sign: side.sign)
          }
        }
      }
    }
  }
}
