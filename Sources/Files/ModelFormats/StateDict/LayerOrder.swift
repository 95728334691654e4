import ArrayFiles

/// The order of a state dict's modules in the forward pass, which a state dict does not hold.
///
/// Within a module, names that differ in their last number alone stand by number. Names that differ
/// otherwise may stand in any order, one kind of name after the other (`conv1, conv2, fc1`) or by turns
/// (`fc1, bn1, fc2`), and alike in modules that differ in numbers alone. The order is known if one of
/// these makes a chain of the shapes.
struct LayerOrder {
  private let dict: StateDict
  /// The most combinations that are tried, fewer of many modules.
  private var limit: Int { 2_000_000 / (100 + dict.modules.count) }

  init(_ dict: StateDict) { self.dict = dict }

  /// The modules in order.
  ///
  /// - Parameter given: paths of all modules, or of groups of them, in order; empty if not given.
  func modules(given: [String]) throws(ArrayFileError) -> [StateDictModule] {
    let groups = try given.isEmpty ? [Array(dict.modules.indices)] : named(given)
    let trees = groups.map { ModuleTree($0.map { (dict.modules[$0].path, $0) }) }
    var places: [String: [NumberedStems]] = [:]
    for tree in trees { tree.collect(into: &places, isPlain: { isPlain($0) }) }
    let choices = places.mapValues { NumberedStems.arrangements(of: $0, limit: limit) }
      .sorted { $0.key < $1.key }
    var total = 1
    for (_, list) in choices {
      total *= list.count
      guard total <= limit, !list.isEmpty else {
        throw fail("its names leave too many orders; give --layer-order \(example(dict.modules))")
      }
    }
    var fitting: [[Int]] = []
    var first: [Int]?
    for number in 0..<total {
      var rest = number
      var chosen: [String: NumberedStems.Arrangement] = [:]
      for (place, list) in choices {
        chosen[place] = list[rest % list.count]
        rest /= list.count
      }
      let order = trees.flatMap { $0.order(chosen) }
      if first == nil { first = order }
      guard misfit(order) == nil, !fitting.contains(order) else { continue }
      fitting.append(order)
      guard fitting.count < 2 else {
        throw fail(
          "its names do not give the order of its layers: \(names(fitting[0])) and "
            + "\(names(fitting[1])) both fit; give --layer-order \(example(fitting[0].map { dict.modules[$0] }))"
        )
      }
    }
    guard let order = fitting.first else { throw noChain(first!, isOnly: total == 1) }
    return order.map { dict.modules[$0] }
  }

  private func fail(_ problem: String) -> ArrayFileError {
    ArrayFileError(file: dict.file, problem: problem)
  }

  private func names(_ order: [Int]) -> String {
    let list = order.map { dict.modules[$0].name.printable }
    guard list.count > 12 else { return list.joined(separator: ", ") }
    return list.prefix(10).joined(separator: ", ") + ", …"
  }

  private func example(_ modules: [StateDictModule]) -> String {
    modules.map { $0.name.printable }.joined(separator: ",")
  }

  /// Normalisations and PReLU: they keep the number of coordinates and stand beside a layer.
  private func isPlain(_ module: Int) -> Bool { dict.modules[module].kind != .linear }

  /// The first place where a module does not read what the one before gives; nil for a chain. No chain
  /// starts with a PReLU.
  private func misfit(_ order: [Int]) -> Int? {
    var width: Int?
    for (k, m) in order.enumerated() {
      let module = dict.modules[m]
      if k == 0 && module.kind == .slopes { return 0 }
      if let width, let inputs = module.inputs, width != inputs { return k }
      width = module.outputs ?? width
    }
    return nil
  }

  private func noChain(_ order: [Int], isOnly: Bool) -> ArrayFileError {
    let k = misfit(order)!
    let modules = order.map { dict.modules[$0] }
    let m = modules[k]
    guard k > 0 else {
      return fail("\(m.name.printable) is a PReLU, expected a Linear or BatchNorm first")
    }
    let parts = Set(dict.modules.compactMap { $0.path.count > 1 ? $0.path[0] : nil }).sorted()
    // Parts that are chains alone: an actor beside its critic.
    let chains =
      parts.count < 2
      ? []
      : parts.filter { part in
        misfit(order.filter { dict.modules[$0].path[0] == part }) == nil
      }
    return fail(
      "\(m.name.printable), \(m.summary), does not read the \(modules[..<k].last { $0.outputs != nil }!.outputs!) "
        + "numbers of \(modules[k - 1].name.printable) before it"
        + (isOnly ? "" : ", nor is another order of its layers a chain")
        + (chains.isEmpty
          ? "; a network that is more than a chain needs an .onnx file (torch.onnx.export)"
          : "; parts that are chains: "
            + chains.map { "--prefix \($0.printable)" }.joined(separator: ", ")))
  }

  /// The modules of each path that was given.
  private func named(_ given: [String]) throws(ArrayFileError) -> [[Int]] {
    var taken: [Int: String] = [:]
    var groups: [[Int]] = []
    for name in given {
      let found = dict.modules.indices.filter {
        let own = dict.modules[$0].name
        return own == name || own.hasPrefix(name + ".")
      }
      guard !found.isEmpty else {
        throw fail(
          "--layer-order: no layer \"\(name.printable)\"; it has \(names(Array(dict.modules.indices)))"
        )
      }
      for m in found {
        if let before = taken.updateValue(name, forKey: m) {
          throw fail(
            "--layer-order: \(dict.modules[m].name.printable) stands twice, by \(before.printable) and \(name.printable)"
          )
        }
      }
      groups.append(found)
    }
    let left = dict.modules.indices.filter { taken[$0] == nil }
    guard left.isEmpty else { throw fail("--layer-order leaves out \(names(left))") }
    return groups
  }
}

/// The modules as the tree of their paths.
private struct ModuleTree {
  /// The module at the root itself.
  private var own: Int?
  private var children: [(name: String, tree: ModuleTree)] = []
  /// The path, its numbers replaced: modules that differ in numbers alone are ordered alike.
  private let place: String

  init(_ modules: [(path: [String], index: Int)], place: String = "") {
    self.place = place
    var parts: [String: [(path: [String], index: Int)]] = [:]
    for (path, index) in modules {
      guard let name = path.first else {
        own = index
        continue
      }
      parts[name, default: []].append((Array(path.dropFirst()), index))
    }
    for name in parts.keys.sorted(by: { [$0].isBefore([$1]) }) {
      let stem = NumberedName(name).stem
      children.append((name, ModuleTree(parts[name]!, place: place + "/" + stem)))
    }
  }

  /// The stems of the names of every place where there are several.
  func collect(into places: inout [String: [NumberedStems]], isPlain: (Int) -> Bool) {
    var stems: [NumberedStems] = []
    for (name, tree) in children {
      tree.collect(into: &places, isPlain: isPlain)
      let part = NumberedName(name)
      // A name without a number is a stem of its own, beside those that have one.
      let key = Self.key(part)
      let plain = tree.own.map { tree.children.isEmpty && isPlain($0) } ?? false
      if let k = stems.firstIndex(where: { $0.key == key }) {
        stems[k].numbers.insert(part.number ?? -1)
        stems[k].isPlain = stems[k].isPlain && plain
      } else {
        stems.append(NumberedStems(key: key, numbers: [part.number ?? -1], isPlain: plain))
      }
    }
    guard stems.count > 1 else { return }
    var known = places[place] ?? []
    for stem in stems {
      if let k = known.firstIndex(where: { $0.key == stem.key }) {
        known[k].numbers.formUnion(stem.numbers)
        known[k].isPlain = known[k].isPlain && stem.isPlain
      } else {
        known.append(stem)
      }
    }
    places[place] = known
  }

  private static func key(_ name: NumberedName) -> String {
    name.number == nil ? name.stem : name.stem + "#"
  }

  /// The modules in the order of an arrangement of the stems of each place: clusters one after the
  /// other, within a cluster by number.
  func order(_ arrangements: [String: NumberedStems.Arrangement]) -> [Int] {
    let clusters = arrangements[place] ?? []
    func rank(_ name: String) -> (Int, Int, Int) {
      let part = NumberedName(name)
      let key = Self.key(part)
      for (c, cluster) in clusters.enumerated() {
        if let k = cluster.firstIndex(where: { $0.key == key }) {
          return (c, part.number ?? cluster[k].number ?? -1, k)
        }
      }
      return (0, part.number ?? -1, 0)
    }
    return (own.map { [$0] } ?? [])
      + children.map { (rank($0.name), $0.tree) }.sorted { $0.0 < $1.0 }
      .flatMap { $0.1.order(arrangements) }
  }
}

/// The names of one stem in a module: `fc1`, `fc2`, …, or `out`.
private struct NumberedStems {
  let key: String
  /// −1 for a name without one.
  var numbers: Set<Int>
  /// Whether all of them are normalisations or PReLU.
  var isPlain: Bool

  private var isNumbered: Bool { !numbers.contains(-1) }

  /// Clusters one after the other, each with its stems; one without a number stands behind the number
  /// given.
  typealias Arrangement = [[(key: String, number: Int?)]]

  /// All ways to put the stems: in any order, neighbours one after the other or by turns, one without a
  /// number behind any number of its neighbours.
  ///
  /// Normalisations and PReLU that bear the numbers of a layer stand by turns with one.
  static func arrangements(of stems: [NumberedStems], limit: Int) -> [Arrangement] {
    guard stems.count <= 7 else { return [] }
    var result: [Arrangement] = []
    let byKey = Dictionary(uniqueKeysWithValues: stems.map { ($0.key, $0) })
    func extend(_ clusters: Arrangement, _ rest: [NumberedStems]) {
      guard result.count <= limit else { return }
      guard !rest.isEmpty else {
        if isPlausible(clusters, stems) { result.append(clusters) }
        return
      }
      for (k, stem) in rest.enumerated() {
        var others = rest
        others.remove(at: k)
        if let last = clusters.last, byKey[last[0].key]!.isNumbered {
          let numbers = last.reduce(into: Set<Int>()) { $0.formUnion(byKey[$1.key]!.numbers) }
          for number in stem.isNumbered
            ? [nil] : numbers.filter({ $0 >= 0 }).sorted().map(Optional.some)
          {
            extend(clusters.dropLast() + [last + [(stem.key, number)]], others)
          }
        }
        extend(clusters + [[(stem.key, nil)]], others)
      }
    }
    extend([], stems)
    return result
  }

  private static func isPlausible(_ clusters: Arrangement, _ stems: [NumberedStems]) -> Bool {
    stems.filter { $0.isPlain && $0.isNumbered }.allSatisfy { plain in
      let carriers = stems.filter {
        !$0.isPlain && $0.isNumbered && plain.numbers.isSubset(of: $0.numbers)
      }
      let cluster = clusters.first { $0.contains { $0.key == plain.key } }!
      return carriers.isEmpty
        || cluster.contains { part in carriers.contains { $0.key == part.key } }
    }
  }
}
