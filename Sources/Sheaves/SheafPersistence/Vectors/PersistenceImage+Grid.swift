extension PersistenceImage {
  /// Pixels of one size over a rectangle of births and persistences.
  public struct Grid: Sendable, Equatable {
    /// The births, from the left edge of the first column to the right edge of the last.
    public let births: ClosedRange<Double>
    /// The persistences, from the lower edge of the first row to the upper edge of the last.
    public let persistences: ClosedRange<Double>
    /// The number of pixels along births.
    public let columns: Int
    /// The number of pixels along persistences.
    public let rows: Int

    /// A grid over given ranges, finite and of length above 0.
    public init(
      births: ClosedRange<Double>, persistences: ClosedRange<Double>, columns: Int, rows: Int
    ) {
      precondition(columns > 0 && rows > 0, "\(columns) × \(rows) pixels")
      for range in [births, persistences] {
        precondition(
          range.lowerBound.isFinite && range.upperBound.isFinite
            && range.lowerBound < range.upperBound, "a grid over \(range)")
      }
      (self.births, self.persistences) = (births, persistences)
      (self.columns, self.rows) = (columns, rows)
    }

    /// The grid over all bars of a degree of some barcodes, so that their images can be compared: births from the
    /// least to the largest, persistences from 0 to the largest, and `margin` more on both sides of births and above.
    ///
    /// - Parameters:
    ///   - margin: ≥ 0; three deviations leave no bar with less than 99.7 % of its mass along births.
    ///   - infinity: where infinite bars end; left out if nil.
    /// - Returns: nil if there is no bar. Where all births are the same and the margin is 0, the range of births is
    ///   widened to the largest persistence.
    public init?(
      covering barcodes: [Barcode], degree: Int, columns: Int, rows: Int, margin: Double = 0,
      infinity: Double? = nil
    ) {
      precondition(margin >= 0 && margin.isFinite, "margin \(margin)")
      let bars = barcodes.flatMap { $0.finiteBars(degree, infinity: infinity) }
      guard let least = bars.map(\.birth).min(), let largest = bars.map(\.birth).max() else {
        return nil
      }
      let longest = bars.reduce(0) { max($0, $1.death - $1.birth) }
      let around = least == largest && margin == 0 ? longest / 2 : margin
      self.init(
        births: least - around...largest + around, persistences: 0...longest + margin,
        columns: columns, rows: rows)
    }

    /// The middle of each column.
    public var birthCenters: [Double] { Self.centers(births, columns) }

    /// The middle of each row.
    public var persistenceCenters: [Double] { Self.centers(persistences, rows) }

    private static func centers(_ range: ClosedRange<Double>, _ n: Int) -> [Double] {
      let step = (range.upperBound - range.lowerBound) / Double(n)
      return (0..<n).map { range.lowerBound + (Double($0) + 0.5) * step }
    }
  }
}
