import ArrayFiles

/// The modules of a state dict that somebody else wrote, such as PyTorch's `state_dict()`: what the
/// arrays are, by their names and shapes. Every array belongs to a module, or the file is refused.
struct StateDict {
  let file: String
  /// The modules with arrays, by the natural order of their paths.
  let modules: [StateDictModule]

  /// The most modules within each other.
  private static let deepest = 64
  /// What the wrappers DataParallel and `torch.compile` put into names.
  private static let wrappers: Set<Substring> = ["module", "_orig_mod"]

  /// Sorts the arrays of a file, or those of one module in it.
  ///
  /// - Parameter prefix: the module's path; "" for all.
  init(
    _ arrays: [String: NumericArray], file: String, prefix: String
  ) throws(ArrayFileError) {
    self.file = file
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard !arrays.isEmpty else { throw fail("holds no arrays") }
    let head = prefix.isEmpty || prefix.hasSuffix(".") ? prefix : prefix + "."
    let keys = arrays.keys.filter { $0.hasPrefix(head) }.sorted()
    guard !keys.isEmpty else {
      throw fail(
        "no arrays under --prefix \(prefix); it has \(Self.list(arrays.keys.sorted()))")
    }
    var groups: [[String]: [String: String]] = [:]
    for key in keys {
      let parts = key.dropFirst(head.count).split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count <= Self.deepest else {
        throw fail(
          "\"\(key.printable)\" has \(parts.count) parts, expected at most \(Self.deepest)")
      }
      // A parametrisation belongs to the module that it is put on.
      let end = parts.firstIndex(of: "parametrizations") ?? parts.count - 1
      let path = parts[..<end].filter { !Self.wrappers.contains($0) }.map(String.init)
      let name = parts[end...].joined(separator: ".")
      guard groups[path, default: [:]].updateValue(key, forKey: name) == nil else {
        throw fail("two arrays are \"\(key.printable)\" but for the names of wrappers")
      }
    }
    var modules: [StateDictModule] = []
    var refusals: [(reason: String, keys: [String])] = []
    for (path, names) in groups.sorted(by: { $0.key.isBefore($1.key) }) {
      do {
        modules.append(
          try StateDictModule(path: path, keys: names, arrays: arrays, file: file))
      } catch {
        switch error {
        case .file(let error): throw error
        case .unknown(let reason, let keys):
          if let k = refusals.firstIndex(where: { $0.reason == reason }) {
            refusals[k].keys += keys
          } else {
            refusals.append((reason, keys))
          }
        }
      }
    }
    guard refusals.isEmpty else {
      throw fail(
        refusals.map { "\(Self.list($0.keys)): \($0.reason)" }.joined(separator: "; "))
    }
    self.modules = modules
  }

  /// A few names for a message.
  static func list(_ names: [String]) -> String {
    names.prefix(4).map(\.printable).joined(separator: ", ")
      + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }
}

extension [String] {
  /// The natural order of paths: numbers by their value.
  func isBefore(_ other: [String]) -> Bool {
    for (a, b) in zip(self, other) where a != b {
      let (x, y) = (NumberedName(a), NumberedName(b))
      return x.stem == y.stem ? (x.number ?? -1, a) < (y.number ?? -1, b) : x.stem < y.stem
    }
    return count < other.count
  }
}

/// A name and the number that it ends in: `fc2` is 2 of `fc`, `0` is 0 of nothing.
struct NumberedName {
  let stem: String
  let number: Int?

  init(_ name: String) {
    let digits = String(name.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())
    number = digits.count <= 9 ? Int(digits) : nil
    stem = number == nil ? name : String(name.dropLast(digits.count))
  }
}
