import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Labels of samples as targets of a network, with the names of the classes.
///
/// Whole numbers in 0..<outputs are the outputs themselves. Other labels, words or numbers, are as many
/// classes as there are outputs (two for a single sigmoid), in their order: numbers by size, words by
/// their UTF-8. The classes that a network names already, or another list of labels does, come first of all.
struct Labels {
  /// (outputs, samples): one-hot, or 0 and 1 for a single sigmoid output.
  let target: Matrix
  /// The class of each sample.
  let classes: [Int]
  /// What the classes are called; empty where the labels are the numbers of outputs.
  let names: [String]

  /// Reads an ARRAY of labels, one per sample.
  ///
  /// - Parameters:
  ///   - option: the option that it stands in, for errors.
  ///   - known: the names of the classes, such as those of the training labels; nil for those of the
  ///     network, or else of the labels themselves.
  init(
    _ reference: String, option: String, for network: Network, arrays: ArrayOptions,
    known: [String]? = nil
  ) throws {
    let source = try arrays.source(reference)
    let words = try source.words()
    let isSingle = network.outputDimension == 1 && network.outputActivation == .sigmoid
    let count = isSingle ? 2 : network.outputDimension
    let find = ClassFinder(
      words: words, count: count, option: option,
      place: { source.place(ofSample: $0) })
    let named = known ?? network.classNames
    (names, classes) = named.isEmpty ? try find.own() : try find.among(named)
    var target = Matrix(rows: network.outputDimension, columns: classes.count)
    for (j, c) in classes.enumerated() {
      if isSingle { target[0, j] = Double(c) } else { target[c, j] = 1 }
    }
    self.target = target
  }

  /// The names for `Network.classNames`, one for each output: of two classes of a single output, that
  /// of 1.
  func classNames(of network: Network) -> [String] {
    names.isEmpty ? [] : Array(names.suffix(network.outputDimension))
  }
}

/// Finds out which class each label means.
private struct ClassFinder {
  /// The labels.
  let words: [String]
  /// How many classes there are.
  let count: Int
  /// The option that they stand in, for errors.
  let option: String
  /// Where a sample is, for errors.
  let place: (Int) -> String

  /// The classes that the labels themselves make.
  func own() throws -> (names: [String], classes: [Int]) {
    let numbers = words.map(Self.number)
    let indices = numbers.map { $0.flatMap(Int.init(exactly:)) }
    if indices.allSatisfy({ $0.map((0..<count).contains) ?? false }) {
      return ([], indices.map { $0! })
    }
    let distinct = Set(words.map(Self.key))
    let isNumeric = !numbers.contains { $0 == nil }
    if isNumeric, let j = indices.firstIndex(where: { $0 == nil }) {
      throw problem(at: j, "a whole number in 0..<\(count), or a class in words")
    }
    let names =
      isNumeric
      ? distinct.compactMap { Int($0) }.sorted().map(String.init)
      : distinct.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard distinct.count == count else {
      // The first label that is not among 0, 1, … is the likeliest to be wrong.
      let j = indices.firstIndex { !($0.map((0..<count).contains) ?? false) }!
      throw problem(
        at: j,
        "a whole number in 0..<\(count) (labels start at 0), or \(count) classes by name; there are "
          + "\(distinct.count): \(Self.shown(names))")
    }
    Note.say("\(option): classes \(Self.shown(names)), in this order")
    return (names, try among(names).classes)
  }

  /// The classes by names that are known, or by the numbers of outputs where names are words.
  ///
  /// A single output has one name, that of class 1; whatever else there is, is class 0.
  func among(_ names: [String]) throws -> (names: [String], classes: [Int]) {
    let indices = words.map { Self.number($0).flatMap(Int.init(exactly:)) }
    let keys = names.map(Self.key)
    var all = names
    if count == 2 && names.count == 1 {
      let others = Set(words.map(Self.key)).subtracting(keys)
      all = [others.count == 1 ? others.first! : "not \(names[0])", names[0]]
    }
    if !keys.contains(where: { Self.number($0) != nil }),
      indices.allSatisfy({ $0.map((0..<count).contains) ?? false })
    {
      Note.say("\(option): 0, 1, … are the classes \(Self.shown(names)), in this order")
      return (names.count == count ? names : ["not \(names[0])", names[0]], indices.map { $0! })
    }
    let places = Dictionary(
      all.enumerated().map { (Self.key($1), $0) }, uniquingKeysWith: { a, _ in a })
    let classes = try words.indices.map { j in
      guard let c = places[Self.key(words[j])] else {
        throw problem(at: j, "one of \(Self.shown(all))")
      }
      return c
    }
    return (all, classes)
  }

  private func problem(at j: Int, _ expected: String) -> NetworkError {
    .value(
      name: "\(option): the label in \(place(j)),", found: words[j].printable, expected: expected)
  }

  /// Equal for labels that are one class: numbers by their value.
  private static func key(_ word: String) -> String {
    number(word).flatMap(Int.init(exactly:)).map { "\($0)" } ?? word
  }

  private static func number(_ word: String) -> Double? {
    word.first.map { "+-.0123456789".contains($0) } ?? false ? Double(word) : nil
  }

  private static func shown(_ names: [String]) -> String {
    names.prefix(10).map(\.printable).joined(separator: ", ")
      + (names.count > 10 ? ", … (\(names.count))" : "")
  }
}
