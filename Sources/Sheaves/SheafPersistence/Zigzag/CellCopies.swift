import CellularSheaves

/// The cells of a zigzag, a new copy each time that one comes in.
///
/// X_t is at time t; before time 0 and after the last there is nothing.
struct CellCopies {
  /// A cell from the time when it comes in to the time when it is gone.
  struct Copy {
    let cell: Int
    let added, removed: Int
  }

  /// For each dimension the copies, by the time when they come in, then by their cells.
  let copies: [[Copy]]
  /// For each cell its copies, ascending, by their places in that list.
  let copiesOfCell: [[Int]]

  init(_ zigzag: SheafZigzag) {
    let complex = zigzag.sheaf.complex
    let sets = zigzag.subcomplexes
    var open: [Int: Int] = [:]
    var all = [[Copy]](repeating: [], count: max(complex.dimension + 1, 0))
    var end = [(cell: Int, added: Int, removed: Int)]()
    for t in 0...sets.count {
      let now = t < sets.count ? sets[t] : []
      let before = t > 0 ? sets[t - 1] : []
      for cell in before where !now.contains(cell) {
        if let added = open.removeValue(forKey: cell) { end.append((cell, added, t)) }
      }
      for cell in now where !before.contains(cell) { open[cell] = t }
    }
    end.sort { ($0.added, $0.cell) < ($1.added, $1.cell) }
    var places = [[Int]](repeating: [], count: complex.count)
    for (cell, added, removed) in end {
      let k = complex.dimension(of: cell)
      places[cell].append(all[k].count)
      all[k].append(Copy(cell: cell, added: added, removed: removed))
    }
    (copies, copiesOfCell) = (all, places)
  }
}
