import Distributions
import LinearAlgebra

extension Fusion {
  /// The square of what rounding may leave of a whitened residual.
  var roundingVariance: Double {
    var (sum, count) = (0.0, 0)
    for block in model.layout.blocks where block.kind == .reading {
      let size = model.whitening(ofReading: block.cell)(model.reading(of: block.cell))
      sum += size.reduce(0) { $0 + $1 * $1 }
      count += size.count
    }
    return 1e-26 * sum / Double(max(count, 1))
  }
}

/// How well each reading goes with all the others: its leave-one-out discrepancy, in closed form from one factorisation.
///
/// With whitened residuals r and the blocks S_k = A_k (AᵀA)⁻¹ A_kᵀ of the hat matrix, the reading minus what the others
/// predict is e_k = (1 − S_k)⁻¹ r_k with the covariance (1 − S_k)⁻¹ (Cook, Weisberg 1982, §2.2), so that
///
///     q_k = r_kᵀ (1 − S_k)⁻¹ r_k
///
/// is χ² with as many degrees of freedom as the others say something about. Where the scale of the covariances is not known,
/// q_k/d over (Q − q_k)/(n − d), Q the sum of squares and n its degrees of freedom, is F-distributed with (d, n − d):
/// the externally studentised residual.
///
/// Where maps are not affine these are the discrepancies of the model linearised at the fusion of all readings: where a reading
/// moves the others' account far, leave it out and fuse again.
public struct Anomalies: Sendable {
  /// Whether the covariances are meant as they are.
  public enum Scale: String, Sendable, CaseIterable {
    /// As they are.
    case known
    /// Up to one common factor, estimated for each reading from the others.
    case estimated
  }

  /// What the others say about a reading.
  public struct Entry: Sendable {
    /// Its cell.
    public let cell: Int
    /// The reading minus the prediction from the others, in the units of the value; nil in a coordinate about which they say
    /// nothing.
    public let difference: [Double?]
    /// The standard deviation of each difference.
    public let deviation: [Double?]
    /// q_k.
    public let statistic: Double
    /// d, the number of directions about which the others say something.
    public let degreesOfFreedom: Int
    /// The probability of a larger statistic without an anomaly; nil if d is 0.
    public let pValue: Double?
    /// The smallest rate of false discoveries at which it is reported (Benjamini, Hochberg 1995); nil if d is 0.
    public internal(set) var qValue: Double?
  }

  /// One entry for each reading, in the order of the cells.
  public let entries: [Entry]
  /// Whether the covariances were meant as they are.
  public let scale: Scale

  /// The discrepancies of all readings of a fusion by least squares.
  ///
  /// - Parameter cells: those asked for, all with a reading if nil.
  /// - Throws: `quantity` for a fusion whose loss gave weights; what factorisations throw.
  /// - Complexity: that of the blocks of the inverse, which are known where the fusion was asked for covariances.
  public init(_ fusion: Fusion, cells: Set<Int>? = nil, scale: Scale = .known) throws {
    try Self.check(fusion)
    self.scale = scale
    let (total, freedom) = (fusion.chiSquared, fusion.degreesOfFreedom)
    var entries: [Entry] = []
    for block in fusion.model.layout.blocks
    where block.kind == .reading && cells?.contains(block.cell) ?? true {
      entries.append(
        try Self.entry(fusion, [block], block.cell, scale, total: total, freedom: freedom))
    }
    let q = FalseDiscoveryRate.benjaminiHochberg(entries.map { $0.pValue ?? .nan })
    for i in entries.indices where entries[i].pValue != nil { entries[i].qValue = q[i] }
    self.entries = entries
  }

  /// The discrepancy of the readings of several cells together from the others, as one entry under the name of the first.
  ///
  /// - Complexity: a solve for each coordinate of the group.
  public static func group(
    _ cells: Set<Int>, in fusion: Fusion, scale: Scale = .known
  ) throws -> Entry? {
    try check(fusion)
    let blocks = fusion.model.layout.blocks.filter {
      $0.kind == .reading && cells.contains($0.cell)
    }
    guard let first = blocks.first else { return nil }
    return try entry(
      fusion, blocks, first.cell, scale, total: fusion.chiSquared,
      freedom: fusion.degreesOfFreedom)
  }

  /// With weights of a robust loss the closed form does not hold.
  private static func check(_ fusion: Fusion) throws(InferenceError) {
    guard fusion.fit.weights.allSatisfy({ $0 == 1 }) else {
      throw .quantity(
        name: "the loss", found: "weights other than 1", expected: "a fusion by least squares")
    }
  }

  private static func entry(
    _ fusion: Fusion, _ blocks: [ModelLayout.Block], _ cell: Int, _ scale: Scale, total: Double,
    freedom: Int
  ) throws -> Entry {
    let rows = blocks.flatMap { Array($0.rows) }
    let n = rows.count
    let residual = rows.map { fusion.fit.system.residual[$0] }
    let a = fusion.reduced(fusion.fit.system.transposed.part(columns: rows))
    // Rows of A are determined by themselves.
    let hat = try fusion.normal.covariance(of: a) ?? .identity(n)
    var left = Matrix.identity(n)
    left.add(hat, scale: -1)
    let eigen = try SymmetricEigendecomposition(left)
    let known = eigen.values.indices.filter { eigen.values[$0] > 1e-8 }
    // (1 − S)⁺ on the directions that the others tell of.
    var inverse = Matrix(rows: n, columns: n)
    for k in known {
      let v = Matrix(column: eigen.vectors.column(k))
      inverse.addOuterProduct(v, v, scale: 1 / eigen.values[k], threads: 1)
    }
    let whitened = (inverse * Matrix(column: residual)).column(0)
    let statistic = zip(whitened, residual).reduce(0) { $0 + $1.0 * $1.1 }
    let d = known.count
    // A coordinate is told of if no direction without information has a part in it.
    let isTold = (0..<n).map { i in
      eigen.values.indices.allSatisfy {
        eigen.values[$0] > 1e-8 || abs(eigen.vectors[i, $0]) < 1e-8
      }
    }
    var (difference, deviation): ([Double?], [Double?]) = ([], [])
    var start = 0
    for block in blocks {
      let whitening = fusion.model.whitening(ofReading: block.cell)
      let range = start..<start + block.rows.count
      let value = whitening.unwhitened(range.map { -whitened[$0] })
      let covariance = whitening.unwhitened(
        covariance: inverse[rows: Array(range), columns: Array(range)])
      let isWhole = range.allSatisfy { isTold[$0] }
      for (i, k) in range.enumerated() {
        let isClear: Bool
        if case .diagonal = whitening { isClear = isTold[k] } else { isClear = isWhole }
        difference.append(isClear ? value[i] : nil)
        deviation.append(isClear ? max(covariance[i, i], 0).squareRoot() : nil)
      }
      start = range.upperBound
    }
    var p: Double?
    if d > 0 {
      switch scale {
      case .known:
        p = ChiSquaredDistribution(degreesOfFreedom: Double(d)).upperTail(max(statistic, 0))
      case .estimated where freedom > d:
        // Residuals that are rounding tell of no scale.
        let variance = max(
          max(total - statistic, 0) / Double(freedom - d), fusion.roundingVariance)
        p =
          variance > 0
          ? FDistribution(Double(d), Double(freedom - d))
            .upperTail(max(statistic, 0) / Double(d) / variance) : statistic > 0 ? 0 : 1
        deviation = deviation.map { $0.map { $0 * variance.squareRoot() } }
      case .estimated: break
      }
    }
    return Entry(
      cell: cell, difference: difference, deviation: deviation, statistic: max(statistic, 0),
      degreesOfFreedom: d, pValue: p)
  }
}
