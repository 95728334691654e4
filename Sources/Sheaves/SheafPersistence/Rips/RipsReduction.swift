import ExactAlgebra

/// The coboundaries of the simplices of one dimension of a Vietoris–Rips filtration, enumerated from the ranks of
/// edges.
///
/// A coface has the row (f, m): its longest edge f, and m for the vertices that are not on f. Rows are in the order
/// of appearance, cofaces with one longest edge in the order of m.
protocol RipsCoboundary: Sendable {
  /// The number of f, and of m.
  var majors: Int { get }
  var minors: Int { get }

  /// Adds a multiple of the coboundary of a simplex to a column.
  func add(_ simplex: Int, _ factor: UInt32, to work: inout RipsColumn)

  /// The simplex whose first coface this is, and which is the last face of it, if there is one: an apparent pair; and
  /// its incidence number.
  func apparentFace(_ f: Int, _ m: Int32) -> (simplex: Int, sign: Int)?
}

/// The reduction of the coboundaries of some simplices of a Vietoris–Rips filtration with coefficients in GF(p).
///
/// Of a reduced column only the combination of simplices is kept, its coboundary being enumerated when it is needed.
/// Simplices of apparent pairs, which have length 0, are columns as they stand and need not be listed (Bauer 2021,
/// §3).
///
/// Cost: n operations for each simplex in a combination that is added to a column, n the number of points.
struct RipsReduction<Coboundary: RipsCoboundary> {
  private let coboundary: Coboundary
  private let field: PrimeField
  private let modulus: UInt32
  /// The combinations of the reduced columns, and the coefficients of their first cofaces.
  private var combinations: [[(simplex: Int, coefficient: UInt32)]] = []
  private var pivots: [UInt32] = []
  /// The column that begins in a coface.
  private var columns: [Int: Int] = [:]
  private var isPivotMajor: [Bool]
  private var work: RipsColumn
  /// The simplices added to the column at work.
  private var combination: [(simplex: Int, coefficient: UInt32)] = []
  /// The bars found: a simplex, and the longest edge of the coface that ends it, nil for ∞.
  private(set) var bars: [(simplex: Int, death: Int?)] = []

  /// Reduces columns.
  ///
  /// - Parameter simplices: in the order of appearance, without those that begin the coboundaries of one dimension
  ///   less (clearing) and those of apparent pairs.
  init(_ simplices: [Int], of coboundary: Coboundary, over field: PrimeField) {
    (self.coboundary, self.field) = (coboundary, field)
    modulus = UInt32(truncatingIfNeeded: field.characteristic)
    isPivotMajor = [Bool](repeating: false, count: coboundary.majors)
    work = RipsColumn(majors: coboundary.majors, minors: coboundary.minors, modulus: modulus)
    for simplex in simplices.reversed() {
      bars.append((simplex, reduce(simplex)))
      work.clear()
      combination.removeAll(keepingCapacity: true)
    }
  }

  /// Whether a coface begins the column of one of the simplices.
  func isPivot(_ f: Int, _ m: Int32) -> Bool {
    isPivotMajor[f] && columns[f * coboundary.minors + Int(m)] != nil
  }

  /// Reduces the column of a simplex; the longest edge of the coface in which it begins, nil if it becomes 0.
  private mutating func reduce(_ simplex: Int) -> Int? {
    add(simplex, 1)
    while let (f, m, value) = work.popFirst() {
      if let (face, sign) = coboundary.apparentFace(f, m) {
        // value + factor · sign = 0.
        add(face, sign == 1 ? field.negative(value) : value)
      } else if isPivotMajor[f], let place = columns[f * coboundary.minors + Int(m)] {
        let factor = field.product(
          field.negative(value), field.inverse(ofUnit: pivots[place]))
        for (simplex, multiple) in combinations[place] {
          add(simplex, field.product(multiple, factor))
        }
      } else {
        isPivotMajor[f] = true
        columns[f * coboundary.minors + Int(m)] = combinations.count
        pivots.append(value)
        combinations.append(collected())
        return f
      }
    }
    return nil
  }

  private mutating func add(_ simplex: Int, _ factor: UInt32) {
    combination.append((simplex, factor))
    coboundary.add(simplex, factor, to: &work)
  }

  /// The combination with each simplex once.
  private func collected() -> [(simplex: Int, coefficient: UInt32)] {
    var result: [(simplex: Int, coefficient: UInt32)] = []
    for (simplex, coefficient) in combination.sorted(by: { $0.simplex < $1.simplex }) {
      if let last = result.last, last.simplex == simplex {
        let sum = UInt64(last.coefficient) + UInt64(coefficient)
        let rest = UInt32(truncatingIfNeeded: sum % UInt64(modulus))
        if rest == 0 { result.removeLast() } else { result[result.count - 1].coefficient = rest }
      } else {
        result.append((simplex, coefficient))
      }
    }
    return result
  }
}
