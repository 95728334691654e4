extension Barcode {
  /// The bars of a degree with finite ends.
  ///
  /// - Parameter infinity: where infinite bars end, those born there or later left out; if nil all are left out.
  func finiteBars(_ degree: Int, infinity: Double?) -> [(birth: Double, death: Double)] {
    precondition(infinity?.isFinite ?? true, "infinite bars cut at \(infinity ?? 0)")
    return self[degree].compactMap { bar in
      guard bar.death == .infinity else { return (bar.birth, bar.death) }
      guard let infinity, bar.birth < infinity else { return nil }
      return (bar.birth, infinity)
    }
  }
}
