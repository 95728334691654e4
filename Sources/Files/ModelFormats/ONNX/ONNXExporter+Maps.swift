import LinearAlgebra
import NeuralSheaves

/// Nodes of maps that ONNX has no one operator for: minima over windows, sparse maps, splines.
extension ONNXExporter {
  /// A minimum over windows: the places of each window gathered, a short one's first place again, then the
  /// least of them.
  mutating func writeMinimum(
    _ op: MaximumPooling, reading source: inout [(name: String, shape: [Int])], to name: String
  ) {
    let windows = op.window.windows
    let most = windows.map(\.count).max() ?? 1
    let places = windows.flatMap { window in
      window.map { Int($0) }
        + [Int](repeating: Int(window[0]), count: most - window.count)
    }
    let x = reshaped(&source, [op.sourceDimension])
    emit(
      "Gather", [x, integers("\(name).places", places, shape: [windows.count, most])],
      "\(name).gathered", [Self.attribute("axis", 1)])
    emit(
      "ReduceMin", ["\(name).gathered", integers("\(name).axes", [2])], name,
      [Self.attribute("keepdims", 0)])
  }

  /// A sparse map: the columns of each row gathered, times its entries, summed.
  mutating func write(
    _ op: SparseLinear, reading source: inout [(name: String, shape: [Int])], to name: String
  ) {
    let (n, most) = (op.targetDimension, max(1, op.entriesPerRow))
    var (columns, values) = (
      [Int](repeating: 0, count: n * most), [Double](repeating: 0, count: n * most)
    )
    for row in 0..<n {
      var place = row * most
      op.forEachEntry(ofRow: row, branch: 0) { column, value in
        (columns[place], values[place]) = (column, value)
        place += 1
      }
    }
    let x = reshaped(&source, [op.sourceDimension])
    emit(
      "Gather", [x, integers("\(name).columns", columns, shape: [n, most])], "\(name).gathered",
      [Self.attribute("axis", 1)])
    emit(
      "Mul", ["\(name).gathered", constant("\(name).entries", [n, most], values)],
      "\(name).weighted")
    emit(
      "ReduceSum", ["\(name).weighted", integers("\(name).axes", [2])], name,
      [Self.attribute("keepdims", 0)])
    marks.sparse.insert(name)
  }

  /// Pieces slope z + offset, the last one whose kink is ≤ z.
  ///
  /// - Parameters:
  ///   - kinks: a list for each kink, of one number or one for each coordinate.
  ///   - slopes: likewise for each branch, one more.
  ///   - offsets: likewise.
  mutating func writePieces(
    kinks: [[Double]], slopes: [[Double]], offsets: [[Double]], reading source: String,
    to name: String
  ) {
    func numbers(_ part: String, _ values: [Double]) -> String {
      constant("\(name).\(part)", values.count == 1 ? [] : [values.count], values)
    }
    func piece(_ b: Int) -> String {
      emit("Mul", [source, numbers("slope\(b)", slopes[b])], "\(name).product\(b)")
      emit("Add", ["\(name).product\(b)", numbers("offset\(b)", offsets[b])], "\(name).piece\(b)")
      return "\(name).piece\(b)"
    }
    var chosen = piece(0)
    for (k, kink) in kinks.enumerated() {
      // A kink that is none lies beyond all numbers.
      let finite = kink.map { min($0, Double(Float.greatestFiniteMagnitude)) }
      emit("GreaterOrEqual", [source, numbers("kink\(k)", finite)], "\(name).beyond\(k)")
      let next = k == kinks.count - 1 ? name : "\(name).choice\(k)"
      emit("Where", ["\(name).beyond\(k)", piece(k + 1), chosen], next)
      chosen = next
    }
  }

  /// The columns of a matrix as lists.
  func columns(_ matrix: Matrix) -> [[Double]] {
    (0..<matrix.columns).map { matrix.column($0) }
  }
}
