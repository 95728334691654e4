extension Page {
  /// The names of all places that callers named.
  var places: Set<String> {
    Set(sections.flatMap { [$0.id] + $0.blocks.flatMap(\.places) }.map(Anchor.id))
  }
}

extension Block {
  /// The names of the places inside.
  fileprivate var places: [String] {
    switch self {
    case .table(let table): [table.id] + table.rows.compactMap(\.id)
    case .drawing(let drawing): [drawing.id].compactMap { $0 }
    case .gallery(let cards): cards.compactMap(\.id)
    case .details(_, let blocks): blocks.flatMap(\.places)
    case .paragraph, .list, .facts, .heading: []
    }
  }
}
