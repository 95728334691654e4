/// Functions of the elements of a computed tensor that have no vertex yet: one for each element, or one for
/// all.
///
/// Comparisons and what is made of them jump; a vertex is made when the pieces fit together.
struct ONNXPieces {
  /// The different functions.
  var functions: [PieceFunction]
  /// Which one each element has; nil if all have the first.
  var index: [Int32]?

  static let identity = ONNXPieces(functions: [.identity], index: nil)

  init(functions: [PieceFunction], index: [Int32]?) {
    self.functions = functions
    self.index = index
  }

  /// The numbers of a constant.
  init(_ c: ONNXConstant) {
    let numbers = c.reals
    var places: [Double: Int32] = [:]
    var different: [Double] = []
    let index = numbers.map { number -> Int32 in
      if let place = places[number] { return place }
      places[number] = Int32(different.count)
      different.append(number)
      return Int32(different.count - 1)
    }
    self.init(
      functions: different.map { .constant($0) }, index: different.count > 1 ? index : nil)
  }

  /// The function of element `i`.
  func function(at i: Int) -> PieceFunction { functions[index.map { Int($0[i]) } ?? 0] }

  /// Repeated from one shape to another that it broadcasts to.
  func expanded(from shape: [Int], to target: [Int]) -> ONNXPieces {
    guard let index, shape != target else { return self }
    return ONNXPieces(
      functions: functions,
      index: TensorView(shape: shape, indices: index).expanded(to: target).indices)
  }

  /// A function of the functions of several tensors of one size, element by element; nil where some of
  /// them cannot be combined.
  static func combined(
    _ operands: [ONNXPieces], _ combine: ([PieceFunction]) -> PieceFunction?
  ) -> ONNXPieces? {
    guard let n = operands.compactMap({ $0.index?.count }).max() else {
      return combine(operands.map { $0.functions[0] }).map {
        ONNXPieces(functions: [$0], index: nil)
      }
    }
    var places: [[Int32]: Int32] = [:]
    var known: [PieceFunction: Int32] = [:]
    var result = ONNXPieces(functions: [], index: [])
    result.index!.reserveCapacity(n)
    for i in 0..<n {
      let key = operands.map { $0.index?[i] ?? 0 }
      if let place = places[key] {
        result.index!.append(place)
        continue
      }
      guard let function = combine(zip(operands, key).map { $0.functions[Int($1)] }) else {
        return nil
      }
      let place = known[function] ?? Int32(result.functions.count)
      if place == result.functions.count { result.functions.append(function) }
      (known[function], places[key]) = (place, place)
      result.index!.append(place)
    }
    if result.functions.count == 1 { result.index = nil }
    return result
  }
}
