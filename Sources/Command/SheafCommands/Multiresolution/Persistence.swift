import ArgumentParser
import ArrayFiles
import BigInt
import CellularSheaves
import ExactAlgebra
import Figures
import Foundation
import SheafPersistence

struct Persistence: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Persistent cohomology of a sheaf whose cells appear one after the other.",
    discussion: """
      A bar [birth, death) of degree q is a class of H^q of the cells up to a, for every a in it. --laplacian A,B gives the \
      spectrum of the persistent Laplacian in place of bars: 0 is an eigenvalue as often as bars contain both A and B.

      Examples:
      sheaf persistence complex.json --values values.json
      sheaf persistence graph.json --discord readings.json --field real --figure bars.svg
      sheaf persistence cloud.json --diameter --laplacian 0.5,0.8 --dimension 1
      """)

  /// Two numbers with a comma between them.
  struct Pair: ExpressibleByArgument {
    let from: Double
    let to: Double

    init?(argument: String) {
      let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map {
        Double($0)
      }
      guard numbers.count == 2, let a = numbers[0], let b = numbers[1], a <= b, a.isFinite,
        b.isFinite
      else { return nil }
      (from, to) = (a, b)
    }
  }

  @OptionGroup var filtration: FiltrationArguments
  @Option(
    help: "Bars up to this degree, or the degree of --laplacian (0 if not given).")
  var dimension: Int?
  @Option(help: "real, prime:P or rational; prime:2 if not given.") var field: Cohomology.Field?
  @Option(
    help:
      "For --field real and --laplacian: entries or eigenvalues up to this, relative, count as 0.")
  var tolerance: Double?
  @Flag(help: "A cochain for every bar.") var representatives = false
  @Option(help: "A,B: the spectrum of the persistent Laplacian between two values.")
  var laplacian: Pair?
  @Option(help: "Draw the bars into an .svg, .pdf or .png file.") var figure: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    try filtration.check()
    if let dimension, dimension < 0 {
      throw ValidationError("--dimension is \(dimension), expected 0 or more")
    }
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance is \(tolerance), expected a number from 0 on")
    }
    if laplacian != nil, field != nil {
      throw ValidationError("--laplacian is over the real numbers, found --field as well")
    }
    switch field {
    case .exact(.integer):
      throw ValidationError("--field integer found, expected a field: real, prime:P or rational")
    case .real: break
    default:
      guard tolerance == nil || laplacian != nil else {
        throw ValidationError(
          "--tolerance is for --field real and --laplacian, found --field \(fieldName)")
      }
    }
    guard laplacian == nil || figure == nil && !representatives else {
      throw ValidationError("--laplacian has no bars, found --figure or --representatives as well")
    }
  }

  func run() throws {
    var files = CallFiles()
    filtration.declare(in: &files)
    try files.writes("--figure", figure, extensions: DrawingFormat.allCases.map(\.rawValue))
    files.prints("--json", json)
    try files.check()
    let filtered = try filtration.load()
    // No bars are above the dimension of the complex.
    let top = filtered.sheaf.complex.dimension + 1
    if let laplacian { return try show(laplacian, of: filtered) }
    let barcode: Barcode
    do throws(PersistenceError) {
      barcode = try filtered.barcode(
        over: coefficients, maximumDegree: min(dimension ?? top, top),
        findingRepresentatives: representatives)
    } catch {
      let hint =
        if case .coefficients(.entry) = error {
          "; --field real or rational takes any numbers"
        } else {
          ""
        }
      throw ArrayFileError(file: filtration.file.name, problem: "\(error)\(hint)")
    }
    var delivery = Delivery()
    if let figure {
      let bars = barcode.intervals.map {
        Layer.Interval(birth: $0.birth, death: $0.death, dimension: $0.degree)
      }
      delivery.draw(Figure(panels: [.barcode(bars)]), to: figure)
    }
    if json {
      delivery.put { try JSONOutput.print(object(barcode, filtered)) }
    } else {
      delivery.print(text(barcode, filtered))
    }
    try delivery.end()
  }

  private var coefficients: SheafFiltration.Coefficients {
    switch field {
    case .real: .real(tolerance: tolerance)
    case .exact(.prime(let p)): .prime(p)
    case .exact: .rational
    case nil: .prime(2)
    }
  }

  private var fieldName: String {
    switch field {
    case .real: "real"
    case .exact(.prime(let p)): "prime:\(p)"
    case .exact: "rational"
    case nil: "prime:2"
    }
  }

  private func object(_ barcode: Barcode, _ filtered: SheafFiltration) -> [String: Any] {
    var object: [String: Any] = [
      "field": fieldName, "steps": filtered.steps.map { JSONOutput.number($0) },
      "bars": barcode.intervals.map { bar in
        var entry: [String: Any] = [
          "degree": bar.degree, "birth": JSONOutput.number(bar.birth),
          "death": bar.death == .infinity ? NSNull() : JSONOutput.number(bar.death),
        ]
        if let cochain = bar.representative {
          entry["representative"] = Self.object(cochain, filtered.sheaf, degree: bar.degree)
        }
        return entry
      },
    ]
    if case .real = field {
      object["rankDecisions"] = barcode.decisions.map {
        [
          "degree": $0.degree, "tolerance": JSONOutput.number($0.tolerance),
          "smallestKept": JSONOutput.number($0.smallestKept),
          "largestDropped": JSONOutput.number($0.largestDropped), "isNarrow": $0.isNarrow,
        ] as [String: Any]
      }
    }
    return object
  }

  /// The values of a representative by cell.
  private static func object(
    _ cochain: PersistenceInterval.Representative, _ sheaf: CellularSheaf, degree: Int
  ) -> [String: Any] {
    switch cochain {
    case .exact(let cocycle): return Cohomology.object(cocycle, sheaf, degree: degree)
    case .real(let coordinates, let values):
      var dense = [Double](repeating: 0, count: sheaf.cochainDimension(degree))
      for (i, value) in zip(coordinates, values) { dense[i] = value }
      return CochainOutput(sheaf: sheaf, degree: degree).object(dense, isSparse: true)
    }
  }

  private func text(_ barcode: Barcode, _ filtered: SheafFiltration) -> String {
    var rows = [["degree", "birth", "death"] + (representatives ? ["on cells"] : [])]
    for bar in barcode.intervals.prefix(100) {
      rows.append(
        [
          "\(bar.degree)", TextOutput.number(bar.birth),
          bar.death == .infinity ? "-" : TextOutput.number(bar.death),
        ] + (bar.representative.map { [Self.cells($0, filtered.sheaf, degree: bar.degree)] } ?? []))
    }
    let more = barcode.intervals.count - 100
    let doubts = barcode.decisions.filter(\.isNarrow).map { "δ^\($0.degree)" }
    return TextOutput.table(rows) + (more > 0 ? "\n… and \(counted(more, "bar")) more" : "")
      + "\n\n\(counted(barcode.intervals.count, "bar")) over \(fieldName), of "
      + "\(counted(filtered.sheaf.complex.count, "cell")) at \(counted(filtered.steps.count, "value"))"
      + (doubts.isEmpty
        ? ""
        : "\nthe rank of \(doubts.joined(separator: ", ")) is in doubt; --tolerance, or an exact --field, decides")
  }

  /// The cells on which a representative lives.
  private static func cells(
    _ cochain: PersistenceInterval.Representative, _ sheaf: CellularSheaf, degree: Int
  ) -> String {
    let places = Set(cochain.coordinates)
    let names = sheaf.complex.cells(ofDimension: degree).filter { cell in
      sheaf.range(of: cell).contains { places.contains($0) }
    }.map { sheaf.complex.name($0).printable }
    return names.prefix(8).joined(separator: " ") + (names.count > 8 ? " …" : "")
  }

  private func show(_ values: Pair, of filtered: SheafFiltration) throws {
    let degree = dimension ?? 0
    guard degree <= filtered.sheaf.complex.dimension else {
      throw ArrayFileError(
        file: filtration.file.name,
        problem:
          "a complex of dimension \(filtered.sheaf.complex.dimension), found --dimension \(degree)"
      )
    }
    let (laplacian, spectrum, kernel) = try filtration.file.refusing {
      let laplacian = try PersistentLaplacian(
        filtered, degree: degree, from: values.from, to: values.to)
      return (laplacian, try laplacian.spectrum(), try laplacian.kernel(tolerance: tolerance))
    }
    let parts = multiplicities(spectrum.values, zeros: kernel.dimension)
    var delivery = Delivery()
    if json {
      delivery.put {
        try JSONOutput.print([
          "dimension": degree, "from": JSONOutput.number(values.from),
          "to": JSONOutput.number(values.to), "order": laplacian.triangle.rows,
          "betti": kernel.dimension, "isNarrow": kernel.isNarrow,
          "smallestKept": JSONOutput.number(kernel.smallestKept),
          "largestDropped": JSONOutput.number(kernel.largestDropped),
          "eigenvalues": spectrum.values.map { JSONOutput.number($0) },
          "multiplicities": parts.map {
            ["value": JSONOutput.number($0.value), "count": $0.count] as [String: Any]
          },
        ])
      }
    } else {
      let rows =
        [["eigenvalue", "times"]] + parts.map { [TextOutput.number($0.value), "\($0.count)"] }
      delivery.print(
        TextOutput.table(rows)
          + "\n\norder \(laplacian.triangle.rows), from \(TextOutput.number(values.from)) to "
          + "\(TextOutput.number(values.to)) in degree \(degree); persistent Betti number "
          + "\(kernel.dimension)"
          + (kernel.isNarrow
            ? "\nthat number is in doubt: the smallest scaled eigenvalue kept is "
              + "\(TextOutput.number(kernel.smallestKept)), the largest that counted as 0 "
              + "\(TextOutput.number(kernel.largestDropped)); bars with --field rational decide"
            : ""))
    }
    try delivery.end()
  }

  /// The eigenvalues with their multiplicities, as many of the least as count as 0 being 0.
  private func multiplicities(_ values: [Double], zeros: Int) -> [(value: Double, count: Int)] {
    var result: [(value: Double, count: Int)] = zeros > 0 ? [(0, zeros)] : []
    var last = -Double.infinity
    for value in values.dropFirst(zeros) {
      if value - last <= 1e-8 * value, !result.isEmpty, last > -.infinity {
        result[result.count - 1].count += 1
      } else {
        result.append((value, 1))
      }
      last = value
    }
    return result
  }
}
