import ArrayFiles
import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafInference

/// The cells of a sheaf file, in the order of the file.
struct CellReader {
  /// Names that were met, as cells or as faces, with their numbers.
  private var numbers: [String: Int32] = [:]
  private var names: [String] = []
  /// The place of each name among the cells, −1 until it is met as one.
  private var places: [Int32] = []

  private var cells: [Int32] = []
  private var stalks: [Int] = []
  private var dimensions: [Int: Int] = [:]
  private var weights: [InnerProduct] = []
  private var isWeighted = false
  private var faceStarts = [0]
  private var faces: [Int32] = []
  private var signs: [Int8] = []
  private var maps: [SheafReader.ReadMap] = []

  mutating func read(_ reader: inout SheafReader) throws(ArrayFileError) {
    try reader.scanner.take("[")
    while try reader.scanner.hasNext(before: "]", after: cells.count) {
      reader.scanner.path = ["cell \(cells.count)"]
      try readCell(&reader)
    }
    reader.scanner.path = []
  }

  private mutating func number(of name: String) -> Int32 {
    if let known = numbers[name] { return known }
    let number = Int32(names.count)
    numbers[name] = number
    names.append(name)
    places.append(-1)
    return number
  }

  private mutating func readCell(_ reader: inout SheafReader) throws(ArrayFileError) {
    var (id, stalk, weight): (String?, Int?, InnerProduct) = (nil, nil, .standard)
    var (position, dimension): ([Double]?, Int?) = (nil, nil)
    var found = self
    // The fields are moved, not copied.
    self = CellReader()
    defer { self = found }
    try reader.forEachKey(["id", "stalk", "faces", "weight", "dimension", "position"]) {
      (reader, key) throws(ArrayFileError) in
      switch key {
      case "id":
        let name = try reader.id()
        id = name
        reader.scanner.path = [name]
      case "stalk": stalk = try reader.scanner.wholeNumber()
      case "weight": weight = try reader.weight()
      case "dimension": dimension = try reader.scanner.wholeNumber()
      case "position": position = try reader.numbers()
      default:
        try reader.scanner.take("[")
        var count = 0
        while try reader.scanner.hasNext(before: "]", after: count) {
          try found.readFace(&reader)
          count += 1
        }
      }
    }
    guard let id else { throw reader.scanner.failure("no \"id\", expected one") }
    guard let stalk else {
      throw reader.scanner.failure("no \"stalk\", expected the dimension of the cell's stalk")
    }
    let number = found.number(of: id)
    guard found.places[Int(number)] < 0 else {
      throw reader.scanner.failure("\(CellComplexError.repeatedName(id.printable))")
    }
    found.places[Int(number)] = Int32(found.cells.count)
    found.cells.append(number)
    found.stalks.append(stalk)
    if let dimension {
      guard dimension < 1000 else {
        throw reader.scanner.failure("dimension \(dimension), expected less than 1000")
      }
      found.dimensions[found.cells.count - 1] = dimension
    }
    if let position { reader.positions[id] = position }
    if weight != .standard { found.isWeighted = true }
    found.weights.append(weight)
    found.faceStarts.append(found.faces.count)
  }

  private mutating func readFace(_ reader: inout SheafReader) throws(ArrayFileError) {
    var (face, sign, map): (String?, Double?, SheafReader.ReadMap?) = (nil, nil, nil)
    try reader.forEachKey(["of", "sign", "map"]) { (reader, key) throws(ArrayFileError) in
      switch key {
      case "of": face = try reader.id()
      case "sign": sign = try reader.scanner.number()
      default: map = try reader.map()
      }
    }
    guard let face else {
      throw reader.scanner.failure("a face without \"of\", expected a cell's id")
    }
    guard let sign, abs(sign) == 1 else {
      throw reader.scanner.failure(
        "face \"\(face.printable)\": the incidence number is \(sign.map { "\($0)" } ?? "missing"), "
          + "expected \"sign\" 1 or -1")
    }
    guard let map else {
      throw reader.scanner.failure(
        "face \"\(face.printable)\" without \"map\", expected \"identity\", a number or a list of rows"
      )
    }
    faces.append(number(of: face))
    signs.append(Int8(sign))
    maps.append(map)
  }

  /// The sheaf of the cells, of whatever maps they have.
  func content(_ scanner: JSONScanner) throws(ArrayFileError) -> SheafFile.Content {
    guard maps.contains(where: \.isSmooth) else { return .cellular(try sheaf(scanner)) }
    if isWeighted {
      throw scanner.failure(
        "a weight beside maps that are not linear, expected no weights: variances are the readings'"
      )
    }
    var poset = PosetReader()
    for cell in cells.indices {
      let range = faceStarts[cell]..<faceStarts[cell + 1]
      poset.append(
        names[Int(cells[cell])], stalks[cell], range.map { (names[Int(faces[$0])], maps[$0]) })
    }
    return try poset.content(scanner)
  }

  /// The sheaf of the cells.
  func sheaf(_ scanner: JSONScanner) throws(ArrayFileError) -> CellularSheaf {
    var builder = CellComplex.Builder()
    for cell in cells.indices {
      builder.addCell()
      if let k = dimensions[cell] { builder.setDimension(k) }
      for i in faceStarts[cell]..<faceStarts[cell + 1] {
        let place = places[Int(faces[i])]
        guard place >= 0 else {
          throw scanner.failure(
            "\(CellComplexError.unknownFace(of: name(cell), face: names[Int(faces[i])].printable))")
        }
        builder.addFace(Int(place), sign: Int(signs[i]))
      }
    }
    try scanner.checkTotal(of: stalks)
    do {
      let (complex, order) = try builder.complex(names: cells.map { names[Int($0)] })
      var origin = [Int](repeating: 0, count: cells.count)
      for (cell, place) in order.enumerated() { origin[place] = cell }
      let incidences = origin.flatMap { cell in
        (faceStarts[cell]..<faceStarts[cell + 1]).map { (cell, $0) }
      }
      return try CellularSheaf(
        complex, stalks: origin.map { stalks[$0] },
        weights: isWeighted ? origin.map { weights[$0] } : nil
      ) { incidence in
        let (cell, i) = incidences[incidence]
        return try SheafReader.map(
          maps[i], rows: stalks[cell], columns: stalks[Int(places[Int(faces[i])])]
        ) { problem in
          scanner.failure(
            "cell \"\(name(cell))\", face \"\(names[Int(faces[i])].printable)\": \(problem)")
        }
      }
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw scanner.failure("\(error)".oneLine)
    }
  }

  private func name(_ cell: Int) -> String { names[Int(cells[cell])].printable }
}

/// The elements of a poset in a sheaf file.
struct PosetReader {
  private var names: [String] = []
  private var stalks: [Int] = []
  private var below: [[(name: String, map: SheafReader.ReadMap)]] = []
  private var angles: [Int: [Double?]] = [:]

  mutating func append(
    _ name: String, _ stalk: Int, _ relations: [(name: String, map: SheafReader.ReadMap)]
  ) {
    names.append(name)
    stalks.append(stalk)
    below.append(relations)
  }

  mutating func read(_ reader: inout SheafReader) throws(ArrayFileError) {
    try reader.scanner.take("[")
    while try reader.scanner.hasNext(before: "]", after: names.count) {
      reader.scanner.path = ["element \(names.count)"]
      var (id, stalk, relations): (String?, Int?, [(name: String, map: SheafReader.ReadMap)]) =
        (nil, nil, [])
      var periods: [Double]?
      try reader.forEachKey(["id", "stalk", "below", "periods"]) {
        (reader, key) throws(ArrayFileError) in
        switch key {
        case "id":
          let name = try reader.id()
          id = name
          reader.scanner.path = [name]
        case "stalk": stalk = try reader.scanner.wholeNumber()
        case "periods": periods = try reader.numbers()
        default: relations = try Self.relations(&reader)
        }
      }
      guard let id else { throw reader.scanner.failure("no \"id\", expected one") }
      guard let stalk else {
        throw reader.scanner.failure("no \"stalk\", expected the dimension of the element's stalk")
      }
      append(id, stalk, relations)
      if let periods {
        guard periods.count == stalk, periods.allSatisfy({ $0 >= 0 }) else {
          throw reader.scanner.failure(
            "periods \(periods), expected one for each of \(stalk) coordinates, 0 for one that is no angle"
          )
        }
        angles[names.count - 1] = periods.map { $0 > 0 ? $0 : nil }
      }
    }
    reader.scanner.path = []
  }

  private static func relations(
    _ reader: inout SheafReader
  ) throws(ArrayFileError) -> [(name: String, map: SheafReader.ReadMap)] {
    var list: [(name: String, map: SheafReader.ReadMap)] = []
    try reader.scanner.take("[")
    while try reader.scanner.hasNext(before: "]", after: list.count) {
      var (name, map): (String?, SheafReader.ReadMap?) = (nil, nil)
      try reader.forEachKey(["of", "map"]) { (reader, key) throws(ArrayFileError) in
        if key == "of" { name = try reader.id() } else { map = try reader.map() }
      }
      guard let name, let map else {
        throw reader.scanner.failure(
          "a relation without \(name == nil ? "\"of\"" : "\"map\""), expected both")
      }
      list.append((name, map))
    }
    return list
  }

  /// The sheaf of the elements, of whatever maps they have.
  func content(_ scanner: JSONScanner) throws(ArrayFileError) -> SheafFile.Content {
    let isLinear = angles.isEmpty && below.allSatisfy { $0.allSatisfy { !$0.map.isSmooth } }
    let poset = try poset(scanner)
    try scanner.checkTotal(of: stalks)
    do {
      guard isLinear else {
        let maps = try maps(poset, scanner) {
          map, m, n, problem throws(ArrayFileError) in
          try SheafReader.smooth(map, rows: m, columns: n, problem)
        }
        return .nonlinear(
          try NonlinearSheaf(poset, stalks: stalks, maps: maps, angles: angles))
      }
      let maps = try maps(poset, scanner) { map, m, n, problem throws(ArrayFileError) in
        try SheafReader.map(map, rows: m, columns: n, problem)
      }
      return .poset(try PosetSheaf(poset, stalks: stalks, maps: maps))
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw scanner.failure("\(error)".oneLine)
    }
  }

  private func poset(_ scanner: JSONScanner) throws(ArrayFileError) -> FinitePoset {
    let places = Dictionary(
      names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var lower: [[Int]] = []
    for (x, relations) in below.enumerated() {
      var list: [Int] = []
      for relation in relations {
        guard let y = places[relation.name] else {
          throw scanner.failure(
            "element \"\(names[x].printable)\" is above \"\(relation.name.printable)\", expected the id "
              + "of an element")
        }
        list.append(y)
      }
      lower.append(list)
    }
    do throws(CellComplexError) {
      return try FinitePoset(below: lower, names: names)
    } catch {
      throw scanner.failure("\(error)".oneLine)
    }
  }

  /// The maps of all relations, made from what was read for stalks of known dimensions.
  private func maps<Map>(
    _ poset: FinitePoset, _ scanner: JSONScanner,
    _ make: (SheafReader.ReadMap, Int, Int, (String) -> ArrayFileError) throws(ArrayFileError) ->
      Map
  ) throws(ArrayFileError) -> [[Map]] {
    var result: [[Map]] = []
    for (x, relations) in below.enumerated() {
      var list: [Map] = []
      for (relation, y) in zip(relations, poset.below[x]) {
        list.append(
          try make(relation.map, stalks[x], stalks[y]) { problem in
            scanner.failure(
              "element \"\(names[x].printable)\" above \"\(names[y].printable)\": \(problem)")
          })
      }
      result.append(list)
    }
    return result
  }
}

extension JSONScanner {
  /// Stalks have 10⁸ dimensions at most altogether.
  func checkTotal(of stalks: [Int]) throws(ArrayFileError) {
    var total = 0
    for d in stalks {
      let (sum, overflow) = total.addingReportingOverflow(d)
      guard !overflow && sum <= SheafReader.dimensionLimit else {
        throw failure(
          "stalks of more than \(SheafReader.dimensionLimit) dimensions altogether, expected fewer")
      }
      total = sum
    }
  }
}

extension String {
  /// A message with the control characters of names in it escaped.
  var oneLine: String {
    unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }.joined()
  }
}
