import CellularSheaves
import ExactAlgebra

/// A filtered cochain complex whose pairs tell the intervals of a zigzag (Dey, Hou 2022, *Fast computation of zigzag
/// persistence*).
///
/// Let X̂ have a copy of a cell for each time that it comes in, with the copies of faces that are there then. By
/// Mayer–Vietoris diamonds, which exchange a removal and an addition that follows it, the zigzag becomes one in which
/// all copies come in and then all go. What goes is the same as what comes into a second copy L of X̂, in the opposite
/// order, of which cohomology is taken relative (extended persistence; Carlsson, de Silva, Morozov 2009, §4). The
/// relative cochains of (X̂, L) are the mapping cone
///
///   D^k = C^k(X̂) ⊕ C^{k−1}(L),   d(x, y) = (δx, x|_L − δy).
///
/// All exchanges keep which coming and which going begin and end a class. A copy in X̂ stands for its coming, in L for
/// its going. Whichever of a pair is earlier in the zigzag begins the interval, and its cell tells the degree: a cell
/// of dimension q begins a class of degree q when it comes and one of degree q − 1 when it goes.
struct ZigzagComplex {
  private let zigzag: SheafZigzag
  private let cells: CellCopies
  /// For each D^k the time of each coordinate's coming or going, in the order of appearance: all comings, then all
  /// goings.
  let times: [[Int]]
  /// Where the coordinates of the copies of dimension k begin in D^k, and as of L in D^{k+1}.
  private let coming, going: [[Int]]
  /// The copies in the order in which they come into L.
  private let intoL: [[Int]]
  /// The cell of each coordinate of C^k, and its place in the stalk.
  private let components: [[(cell: Int32, offset: Int32)]]

  init(_ zigzag: SheafZigzag) {
    let cells = CellCopies(zigzag)
    let sheaf = zigzag.sheaf
    var times = [[Int]](repeating: [], count: cells.copies.count + 1)
    var (coming, going, intoL) = ([[Int]](), [[Int]](), [[Int]]())
    for (k, copies) in cells.copies.enumerated() {
      var starts: [Int] = []
      for copy in copies {
        starts.append(times[k].count)
        times[k] += [Int](repeating: copy.added, count: sheaf.stalk(of: copy.cell))
      }
      coming.append(starts)
    }
    for (k, copies) in cells.copies.enumerated() {
      let order = copies.indices.sorted {
        (-copies[$0].removed, $0) < (-copies[$1].removed, $1)
      }
      var starts = [Int](repeating: 0, count: copies.count)
      for i in order {
        starts[i] = times[k + 1].count
        times[k + 1] += [Int](
          repeating: copies[i].removed, count: sheaf.stalk(of: copies[i].cell))
      }
      going.append(starts)
      intoL.append(order)
    }
    (self.zigzag, self.cells, self.times) = (zigzag, cells, times)
    (self.coming, self.going, self.intoL) = (coming, going, intoL)
    components = cells.copies.indices.map { k in
      sheaf.complex.cells(ofDimension: k).flatMap { cell in
        (0..<sheaf.stalk(of: cell)).map {
          (Int32(truncatingIfNeeded: cell), Int32(truncatingIfNeeded: $0))
        }
      }
    }
  }

  /// Ascending numbers for the coordinates of D^k, the same for those that appear together.
  func order(degree k: Int) -> [Double] {
    guard k < times.count else { return [] }
    let comings = k < components.count ? stalks(k) : 0
    let last = zigzag.subcomplexes.count
    return times[k].enumerated().map { i, time in
      Double(i < comings ? time : 2 * last + 1 - time)
    }
  }

  /// The number of coordinates of all copies of dimension k.
  private func stalks(_ k: Int) -> Int {
    cells.copies[k].reduce(0) { $0 + zigzag.sheaf.stalk(of: $1.cell) }
  }

  /// d : D^k → D^{k+1}.
  ///
  /// - Parameters:
  ///   - upper: δ^k, nil in the top degree and above.
  ///   - lower: δ^{k−1}, nil in degree 0 and above the top degree.
  ///   - one: the unit of the restriction to L, 1 or any other number but 0.
  func matrix<Element>(
    degree k: Int, upper: SparseColumns<Element>?, lower: SparseColumns<Element>?, one: Element,
    negative: (Element) -> Element
  ) -> SparseColumns<Element> {
    var result = SparseColumns<Element>(rows: k + 1 < times.count ? times[k + 1].count : 0)
    var entries: [(row: Int, value: Element)] = []
    if k < cells.copies.count {
      for i in cells.copies[k].indices {
        for l in 0..<zigzag.sheaf.stalk(of: cells.copies[k][i].cell) {
          entries.removeAll(keepingCapacity: true)
          if let upper { append(upper, i, l, degree: k, coming, to: &entries) { $0 } }
          entries.append((going[k][i] + l, one))
          result.appendColumn(entries)
        }
      }
    }
    if k > 0 {
      for i in intoL[k - 1] {
        for l in 0..<zigzag.sheaf.stalk(of: cells.copies[k - 1][i].cell) {
          entries.removeAll(keepingCapacity: true)
          if let lower { append(lower, i, l, degree: k - 1, going, to: &entries, negative) }
          result.appendColumn(entries)
        }
      }
    }
    return result
  }

  /// A column of δ^k on the copies: that of coordinate l of a copy, on the cofaces that come while it is there.
  private func append<Element>(
    _ delta: SparseColumns<Element>, _ copy: Int, _ l: Int, degree k: Int, _ places: [[Int]],
    to entries: inout [(row: Int, value: Element)], _ change: (Element) -> Element
  ) {
    let sheaf = zigzag.sheaf
    let (cell, added, removed) = (
      cells.copies[k][copy].cell, cells.copies[k][copy].added, cells.copies[k][copy].removed
    )
    let j = sheaf.range(of: cell).lowerBound + l
    for place in delta.columnStarts[j]..<delta.columnStarts[j + 1] {
      let row = Int(delta.rowIndices[place])
      let (above, offset) = components[k + 1][row]
      for coface in cells.copiesOfCell[Int(above)] {
        let time = cells.copies[k + 1][coface].added
        if time >= removed { break }
        if time >= added {
          entries.append((places[k + 1][coface] + Int(offset), change(delta.values[place])))
        }
      }
    }
  }

  /// The interval of a pair of coordinates of D^k and D^{k+1}; nil if it has no index.
  func interval(degree k: Int, _ column: Int, _ row: Int) -> ZigzagBarcode.Interval? {
    let (a, b) = (times[k][column], times[k + 1][row])
    if a == b { return nil }
    // Goings come into L the last first, so that of two goings the cell of dimension k goes first.
    let degree = a < b ? k : k - 1
    return ZigzagBarcode.Interval(
      degree: degree, first: min(a, b), last: max(a, b) - 1)
  }
}
