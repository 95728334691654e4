/// What the metadata of our own files say of nodes: things that ONNX has no word for.
struct ONNXMarks {
  /// Normalisations that are not trained.
  var constants: Set<String> = []
  /// Identities that are vertices of their own, as activations.
  var identities: Set<String> = []
  /// Identities that are vertices of their own, as affine copies.
  var copies: Set<String> = []
  /// Sums of weighted coordinates that are one sparse map.
  var sparse: Set<String> = []

  private static let keys: [(String, WritableKeyPath<ONNXMarks, Set<String>> & Sendable)] = [
    ("swift-sheaf.constants", \.constants), ("swift-sheaf.identities", \.identities),
    ("swift-sheaf.copies", \.copies), ("swift-sheaf.sparse", \.sparse),
  ]

  init() {}

  init(_ model: ONNXModelProto) {
    for entry in model.metadataProps {
      for (key, path) in Self.keys where key == entry.key {
        self[keyPath: path] = Set(entry.value.split(separator: " ").map(String.init))
      }
    }
  }

  /// The metadata, without those that are empty.
  var entries: [ONNXStringStringEntryProto] {
    Self.keys.filter { !self[keyPath: $0.1].isEmpty }.map { key, path in
      var entry = ONNXStringStringEntryProto()
      entry.key = key
      entry.value = self[keyPath: path].sorted().joined(separator: " ")
      return entry
    }
  }
}
