import LinearAlgebra

/// What the unknowns and the residuals of a model are.
///
/// The unknowns are values on some cells, its *variables*: the minimal ones, and in the agreement model those above
/// them that have a reading. The residuals come in blocks, each multiplied by a whitening so that its error has unit
/// covariance if the model is right.
struct ModelLayout: Sendable {
  /// What a block of residuals says.
  enum Kind: Sendable {
    /// A reading of a cell against the value there.
    case reading
    /// The image of a face against the value of a cell that is a variable, times √2.
    case image
    /// The images of two faces in a cell without reading against each other.
    case meeting

    /// By how much the norm of the block is multiplied to have Robinson's discrepancy: the value of a cell without reading
    /// lies in the middle.
    var robinsonFactor: Double {
      switch self {
      case .reading: 1
      case .image: 0.5.squareRoot()
      case .meeting: 0.5
      }
    }
  }

  /// A block of residuals.
  struct Block: Sendable {
    let kind: Kind
    let cell: Int
    /// The variables that it compares, the second −1 where there is one.
    let variables: (Int32, Int32)
    let rows: Range<Int>
  }

  /// The cells whose values are unknown.
  private(set) var variables: [Int] = []
  private var places: [Int: Int] = [:]
  private(set) var starts = [0]
  private(set) var blocks: [Block] = []

  /// The number of unknowns.
  var dimension: Int { starts.last! }
  /// The number of residuals.
  var rows: Int { blocks.last?.rows.upperBound ?? 0 }

  mutating func reserve(variables n: Int, blocks m: Int) {
    variables.reserveCapacity(n)
    places.reserveCapacity(n)
    starts.reserveCapacity(n + 1)
    blocks.reserveCapacity(m)
  }

  mutating func addVariable(_ cell: Int, dimension: Int) {
    places[cell] = variables.count
    variables.append(cell)
    starts.append(starts.last! + dimension)
  }

  mutating func addBlock(
    _ kind: Kind, _ cell: Int, _ one: Int, _ other: Int = -1, rows count: Int
  ) {
    blocks.append(
      Block(
        kind: kind, cell: cell, variables: (Int32(one), Int32(other)), rows: rows..<rows + count))
  }

  /// The unknowns of a cell, nil if it is no variable.
  func range(of cell: Int) -> Range<Int>? {
    places[cell].map { starts[$0]..<starts[$0 + 1] }
  }

  /// The unknowns of each variable.
  var ranges: [Range<Int>] { variables.indices.map { starts[$0]..<starts[$0 + 1] } }
}

/// Residuals at a point and their derivative.
struct Linearization: Sendable {
  /// Jᵀ: column k is the gradient of residual k.
  var transposed: SparseMatrix
  /// r.
  var residual: [Double]
}

/// Residuals as functions of the unknowns.
protocol InferenceModel: Sendable {
  var layout: ModelLayout { get }
  /// Whether residuals and constraints are affine functions of the unknowns.
  var isAffine: Bool { get }
  /// The whitened residuals.
  func residual(at x: [Double]) throws(InferenceError) -> [Double]
  /// The whitened residuals and their derivative.
  func linearized(at x: [Double]) throws(InferenceError) -> Linearization
  /// What vanishes on sections, in the section model; empty in the other.
  func constraints(at x: [Double]) throws(InferenceError) -> Linearization
  /// The value of any cell and its derivative by the unknowns, (unknowns, dimension of the stalk); nil for a cell that no
  /// variable tells of.
  func value(of cell: Int, at x: [Double]) -> (value: [Double], transposed: SparseMatrix)?
  /// Where a search may begin, and how far around it is worth looking.
  func start() -> (point: [Double], spread: [Double])
  /// The number of cells of the sheaf.
  var cellCount: Int { get }
  /// The name of a cell.
  func name(_ cell: Int) -> String
  /// The values of a reading.
  func reading(of cell: Int) -> [Double]
  /// The whitening of a reading.
  func whitening(ofReading cell: Int) -> Whitening
}

extension InferenceModel {
  /// Where a search may begin, and how far around it in each unknown: no farther than a hundred standard deviations that the
  /// residuals give it, the others known, so that degrees beside metres have ranges of their own.
  func searchRange() -> (point: [Double], spread: [Double]) {
    let (point, size) = start()
    var spread = size
    guard !isAffine, let system = try? linearized(at: point) else { return (point, spread) }
    let squares = system.transposed.rowSquares
    for i in spread.indices where squares[i] > 0 && squares[i].isFinite {
      spread[i] = min(spread[i], 100 / squares[i].squareRoot())
    }
    return (point, spread)
  }
}
