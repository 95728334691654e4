import ArrayFiles
import NeuralSheaves

/// What stands between and behind the layers of a state dict, by what was said of it: nothing is assumed.
struct GapActivations {
  let file: String
  let layers: [StateDictModule]
  let gaps: [LayerGap]
  /// The PReLU behind the last layer.
  let end: [StateDictModule]

  init(_ chain: [StateDictModule], file: String) {
    self.file = file
    (layers, gaps, end) = LayerGap.gaps(of: chain)
  }

  /// One activation for each layer, that behind it.
  func resolve(_ given: [LayerActivation]) throws(ArrayFileError) -> [LayerActivation] {
    for slopes in gaps.map(\.slopes) + [end] where slopes.count > 1 {
      throw fail(
        "\(slopes.map { $0.name.printable }.joined(separator: " and ")) stand between the same layers; an "
          + ".onnx file says what becomes of both")
    }
    var result: [LayerActivation]
    switch given.count {
    case 0: result = try known()
    case 1 where gaps.count != 1 || end.count == 1: result = try same(given[0])
    case gaps.count, gaps.count + 1: result = given
    default:
      throw fail(
        "\(given.count) activations, expected one for all, \(gaps.count) "
          + "(\(places)) or \(gaps.count + 1), the last behind \(layers.last!.name.printable)")
    }
    if result.count == gaps.count { result.append(endsInKnownSlopes ? .slopes : .none) }
    try check(result)
    return result
  }

  private var endsInKnownSlopes: Bool { end.count == 1 && end[0].inputs == nil }

  private func fail(_ problem: String) -> ArrayFileError {
    ArrayFileError(file: file, problem: problem)
  }

  private var places: String {
    let list = gaps.map { "\($0.before.name.printable)→\($0.after.name.printable)" }
    return list.count > 6
      ? list.prefix(4).joined(separator: ", ") + ", …, " + list.last!
      : list.joined(separator: ", ")
  }

  // MARK: Nothing was said.

  private func known() throws(ArrayFileError) -> [LayerActivation] {
    let isKnown = pieces.allSatisfy { piece in
      piece.gaps.allSatisfy { gaps[$0].room == .none }
        && (!piece.isInner || piece.gaps.contains { gaps[$0].isKnown })
        && piece.gaps.allSatisfy { gaps[$0].slopes.isEmpty || gaps[$0].isKnown }
    }
    guard isKnown, end.isEmpty || endsInKnownSlopes else {
      throw fail(
        "a state dict does not say what stands between its layers (\(places)); give --activation relu, "
          + "leaky:SLOPE, identity, … (one for all, or one for each gap), such as --activation \(example)"
      )
    }
    return gaps.map { $0.slopes.isEmpty ? .none : .slopes }
  }

  /// What would be a reading of this file.
  private var example: String {
    let hasSlopes = gaps.contains { !$0.slopes.isEmpty } || !end.isEmpty
    if !hasSlopes, ambiguity(of: .function(.rectifier)) == nil { return "relu" }
    var list = gaps.map { $0.slopes.isEmpty ? "identity" : "prelu" }
    for piece in pieces where piece.isInner && piece.gaps.allSatisfy({ gaps[$0].slopes.isEmpty }) {
      // Behind a normalisation rather than before it; where numbers leave no place, nothing.
      if let k = rooms(piece.gaps).last ?? (isList ? piece.gaps.last : nil) { list[k] = "relu" }
    }
    if !end.isEmpty { list.append("prelu") }
    return list.joined(separator: ",")
  }

  // MARK: One for all

  /// The gaps between two neighbouring Linear, or before the first and behind the last.
  private var pieces: [(gaps: [Int], isInner: Bool)] {
    var result: [(gaps: [Int], isInner: Bool)] = []
    var piece: [Int] = []
    var hasStart = layers[0].kind == .linear
    for (k, gap) in gaps.enumerated() {
      piece.append(k)
      if gap.after.kind == .linear {
        result.append((piece, hasStart))
        piece = []
        hasStart = true
      }
    }
    if !piece.isEmpty { result.append((piece, false)) }
    return result
  }

  /// One activation between each two Linear, where no more than one gap has a place for it.
  private func same(_ activation: LayerActivation) throws(ArrayFileError) -> [LayerActivation] {
    guard !gaps.isEmpty || activation == .none || activation == .slopes && end.count == 1 else {
      throw fail(
        "one layer alone, \(layers[0].name.printable), has no gap for --activation \(activation.name)"
      )
    }
    if let places = ambiguity(of: activation) {
      throw fail(
        "its names do not say whether --activation \(activation.name) stands at "
          + "\(places.map { place($0) }.joined(separator: ", ")); give one for each gap (\(self.places)), such as "
          + "--activation \(example)")
    }
    var result = gaps.map { $0.slopes.isEmpty ? LayerActivation.none : .slopes }
    for piece in pieces where piece.isInner && !hasSlopes(piece.gaps) {
      result[rooms(piece.gaps).first ?? piece.gaps[0]] = activation
    }
    return result + (end.isEmpty || activation != .none && activation != .slopes ? [] : [.slopes])
  }

  private func hasSlopes(_ list: [Int]) -> Bool { list.contains { !gaps[$0].slopes.isEmpty } }

  /// The gaps of a list that may hold a module.
  private func rooms(_ list: [Int]) -> [Int] { list.filter { gaps[$0].room != .none } }

  /// Whether no two Linear leave a place for a module: a ModuleList, whose forward() is asked for.
  private var isList: Bool {
    pieces.filter { $0.isInner && $0.gaps.count == 1 && !hasSlopes($0.gaps) }
      .allSatisfy { rooms($0.gaps).isEmpty }
  }

  /// Gaps of which names do not tell whether one activation for all stands there; nil where they tell.
  private func ambiguity(of activation: LayerActivation) -> [Int]? {
    if activation == .none { return nil }
    let isList = isList
    for piece in pieces {
      let places = rooms(piece.gaps)
      if hasSlopes(piece.gaps) {
        if activation != .slopes && !places.isEmpty { return places }
      } else if !piece.isInner {
        if !places.isEmpty { return places }
      } else if piece.gaps.count == 1 {
        if !isList && places.isEmpty { return piece.gaps }
      } else if places.count != 1 {
        return places.isEmpty ? piece.gaps : places
      }
    }
    return nil
  }

  private func place(_ gap: Int) -> String {
    "\(gaps[gap].before.name.printable)→\(gaps[gap].after.name.printable)"
  }

  /// PReLU stand where the file has slopes, and only there.
  private func check(_ activations: [LayerActivation]) throws(ArrayFileError) {
    for (k, slopes) in (gaps.map(\.slopes) + [end]).enumerated() {
      let place = k < gaps.count ? place(k) : "behind \(layers.last!.name.printable)"
      if let found = slopes.first {
        guard activations[k] == .slopes else {
          throw fail(
            "\(found.name.printable).weight stands at \(place), expected prelu there, found \(activations[k].name)"
              + (found.inputs == nil ? "" : " (or it is an RMSNorm, which is not piecewise linear)")
          )
        }
      } else if activations[k] == .slopes {
        throw fail("prelu was given at \(place), where the file has no slopes")
      }
    }
  }
}
