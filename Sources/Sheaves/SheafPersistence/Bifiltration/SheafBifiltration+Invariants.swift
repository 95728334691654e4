import CellularSheaves

extension SheafBifiltration {
  /// The Hilbert function dim H^q(X_{s,t}; F) on a grid.
  ///
  /// - Parameters:
  ///   - degree: q.
  ///   - firsts: the s; those of `steps` tell everything.
  ///   - seconds: the t.
  /// - Returns: the dimension at (`firsts[i]`, `seconds[j]`) at `[i][j]`.
  /// - Throws: as `SheafFiltration.barcode`.
  /// - Complexity: a barcode for each number of the shorter list.
  public func hilbertFunction(
    _ degree: Int, firsts: [Double], seconds: [Double],
    over coefficients: SheafFiltration.Coefficients
  ) throws(PersistenceError) -> [[Int]] {
    var result = firsts.map { _ in [Int](repeating: 0, count: seconds.count) }
    func barcode(_ line: Line) throws(PersistenceError) -> Barcode {
      try slice(along: line).filtration.barcode(over: coefficients, maximumDegree: degree)
    }
    if firsts.count < seconds.count {
      for (i, s) in firsts.enumerated() {
        let barcode = try barcode(Line(from: (s, 0), direction: (0, 1)))
        for (j, t) in seconds.enumerated() { result[i][j] = barcode.betti(degree, at: t) }
      }
    } else {
      for (j, t) in seconds.enumerated() {
        let barcode = try barcode(Line(from: (0, t), direction: (1, 0)))
        for (i, s) in firsts.enumerated() { result[i][j] = barcode.betti(degree, at: s) }
      }
    }
    return result
  }

  /// The rank invariant: the rank of H^q(X_b; F) → H^q(X_a; F), a ≤ b in both parameters (Carlsson, Zomorodian 2009,
  /// Definition 6).
  ///
  /// Along a line through a and b it is the number of bars that contain both; only which cells are in X_a and which
  /// in X_b is asked, so that no rounding has a say in it. For many pairs on one line ask its `slice`.
  ///
  /// - Throws: as `SheafFiltration.barcode`.
  /// - Complexity: a barcode of X_b.
  public func rank(
    _ degree: Int, from a: (Double, Double), to b: (Double, Double),
    over coefficients: SheafFiltration.Coefficients
  ) throws(PersistenceError) -> Int {
    precondition(a.0 <= b.0 && a.1 <= b.1, "\(a) is not below \(b)")
    let (part, cells) = sheaf.restricted(to: self.cells(upTo: b.0, b.1))
    let isEarly = cells.map { first[$0] <= a.0 && second[$0] <= a.1 }
    return try SheafFiltration(part, values: isEarly.map { $0 ? 0 : 1 })
      .barcode(over: coefficients, maximumDegree: degree).rank(degree, from: 0, to: 1)
  }
}
