import ArrayFiles
import CellularSheaves
import LinearAlgebra
import SheafInference

/// Maps that are written as objects: `{"distance": […]}`, `{"bearing": [x, y]}`, `{"rotation": […]}`, `{"translation": […]}`,
/// `{"linear": …, "offset": […]}`, `{"polynomial": [[{"coefficient": c, "powers": […]}, …], …]}`, `{"network": "file.onnx"}`
/// and `{"compose": [first, second, …]}`.
extension SheafReader {
  private static let forms = [
    "distance", "bearing", "rotation", "translation", "linear", "polynomial", "network", "compose",
  ]

  /// A map that is an object.
  mutating func smoothMap() throws(ArrayFileError) -> any SmoothMap {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= 64 else {
      throw scanner.failure("more than 64 maps within each other, expected fewer")
    }
    var (distance, bearing, rotation): ([Double]?, [Double]?, [Double]?) = (nil, nil, nil)
    var (translation, offset): ([Double]?, [Double]?) = (nil, nil)
    var (linear, polynomial): (RestrictionMap?, PolynomialMap?) = (nil, nil)
    var (network, composed): (String?, [any SmoothMap]?) = (nil, nil)
    var (unit, convention): (AngleUnit?, BearingMap.Convention?) = (nil, nil)
    var radius: Double?
    let seen = try forEachKey(Self.forms + ["offset", "unit", "from", "sphere"]) {
      (reader, key) throws(ArrayFileError) in
      switch key {
      case "distance": distance = try reader.numbers()
      case "bearing": bearing = try reader.numbers()
      case "rotation": rotation = try reader.numberOrList()
      case "translation": translation = try reader.numbers()
      case "offset": offset = try reader.numbers()
      case "linear": linear = try reader.restriction()
      case "polynomial": polynomial = try reader.polynomial()
      case "network": network = try reader.scanner.string()
      case "compose":
        var list: [any SmoothMap] = []
        try reader.scanner.take("[")
        while try reader.scanner.hasNext(before: "]", after: list.count) {
          list.append(try reader.anyMap())
        }
        composed = list
      case "unit": unit = try reader.word(AngleUnit.self, "unit of angles")
      case "from":
        switch try reader.scanner.string() {
        case "north": convention = .compass
        case "east": convention = .mathematical
        case let word:
          throw reader.scanner.failure(
            "bearings from \"\(word.printable)\", expected \"north\" (clockwise) or \"east\" (counterclockwise)"
          )
        }
      default: radius = try reader.scanner.number()
      }
    }
    let named = seen.filter { Self.forms.contains($0) }
    guard let form = named.first, named.count == 1 || Set(named) == ["rotation", "translation"]
    else {
      throw scanner.failure(
        "a map with \(named.isEmpty ? "none" : named.map { "\"\($0)\"" }.joined(separator: " and ")), "
          + "expected one of " + Self.forms.map { "\"\($0)\"" }.joined(separator: ", "))
    }
    try checkOptions(seen, rotation == nil ? form : "rotation")
    if unit != nil, form == "distance", radius == nil {
      throw scanner.failure("\"unit\" beside a distance of the plane, expected \"sphere\" too")
    }
    if convention == .mathematical, radius != nil {
      throw scanner.failure("bearings from \"east\" on a sphere, expected \"north\"")
    }
    switch form {
    case "distance":
      guard let radius else { return DistanceMap(from: distance!) }
      try checkPoint(distance!, 2, "distance on a sphere")
      try checkRadius(radius)
      return SphereDistanceMap(from: distance!, radius: radius, unit: unit ?? .degrees)
    case "bearing":
      try checkPoint(bearing!, 2, "bearing")
      guard let radius else {
        return BearingMap(
          from: bearing!, convention: convention ?? .mathematical, unit: unit ?? .radians)
      }
      try checkRadius(radius)
      return SphereBearingMap(from: bearing!, unit: unit ?? .degrees)
    case "rotation", "translation":
      guard let rotation else { return AffineMap(.identity, offset: translation!) }
      let n = rotation.count == 1 ? 2 : 3
      guard rotation.count == 1 || rotation.count == 3 else {
        throw scanner.failure(
          "a rotation of \(rotation.count) numbers, expected an angle or a vector of three")
      }
      let shift = translation ?? [Double](repeating: 0, count: n)
      try checkPoint(shift, n, "translation")
      let scale = unit == .degrees ? Double.pi / 180 : 1
      return n == 2
        ? AffineMap.rigidMotion(angle: scale * rotation[0], translation: shift)
        : AffineMap.rigidMotion(
          rotationVector: rotation.map { scale * $0 }, translation: shift)
    case "linear":
      if let offset, let shape = linear!.shape { try checkPoint(offset, shape.rows, "offset") }
      return AffineMap(linear!, offset: offset ?? [])
    case "polynomial": return polynomial!
    case "network": return try networks(network!)
    default:
      guard let first = composed!.first else {
        throw scanner.failure("a composite of no maps, expected at least one")
      }
      var width = first.sourceDimension
      for map in composed! {
        if let width, let source = map.sourceDimension, source != width {
          throw scanner.failure(
            "a composite whose maps pass on \(width) numbers to one of \(source), expected as many")
        }
        width = (width ?? map.sourceDimension).map { map.targetDimension(from: $0) }
      }
      return CompositeMap(composed!)
    }
  }

  private func checkOptions(_ seen: [String], _ form: String) throws(ArrayFileError) {
    let allowed: [String: [String]] = [
      "distance": ["sphere", "unit"], "bearing": ["sphere", "unit", "from"],
      "rotation": ["unit"], "linear": ["offset"],
    ]
    if let other = seen.first(where: {
      !Self.forms.contains($0) && !(allowed[form] ?? []).contains($0)
    }) {
      throw scanner.failure(
        "\"\(other)\" beside \"\(form)\", expected "
          + (allowed[form].map { $0.map { "\"\($0)\"" }.joined(separator: ", ") } ?? "it alone"))
    }
  }

  private func checkPoint(_ point: [Double], _ n: Int, _ what: String) throws(ArrayFileError) {
    guard point.count == n else {
      throw scanner.failure("a \(what) with \(point.count) numbers, expected \(n)")
    }
  }

  private func checkRadius(_ radius: Double) throws(ArrayFileError) {
    guard radius > 0 else {
      throw scanner.failure("a sphere of radius \(radius), expected a positive number")
    }
  }

  private mutating func word<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type, _ what: String
  ) throws(ArrayFileError) -> Choice where Choice.RawValue == String {
    let word = try scanner.string()
    guard let choice = Choice(rawValue: word) else {
      throw scanner.failure(
        "the \(what) \"\(word.printable)\", expected "
          + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    }
    return choice
  }

  private mutating func restriction() throws(ArrayFileError) -> RestrictionMap {
    let read = try map()
    switch read {
    case .identity: return .identity
    case .scalar(let s): return .scalar(s)
    case .smooth: throw scanner.failure("\"linear\" of an object, expected a matrix or a number")
    case .rows(let rows):
      let width = rows.first?.count ?? 0
      guard rows.allSatisfy({ $0.count == width }) else {
        throw scanner.failure("rows of different lengths, expected a matrix")
      }
      return .matrix(Matrix(rows: rows.count, columns: width, rowMajor: rows.flatMap { $0 }))
    }
  }

  /// A map of any kind whose stalks are not known.
  private mutating func anyMap() throws(ArrayFileError) -> any SmoothMap {
    if scanner.nextKind() == .object { return try smoothMap() }
    return AffineMap(try restriction())
  }

  private mutating func polynomial() throws(ArrayFileError) -> PolynomialMap {
    var coordinates: [[PolynomialMap.Term]] = []
    var dimension: Int?
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: coordinates.count) {
      var terms: [PolynomialMap.Term] = []
      try scanner.take("[")
      while try scanner.hasNext(before: "]", after: terms.count) {
        var (coefficient, powers): (Double?, [Int]?) = (nil, nil)
        try forEachKey(["coefficient", "powers"]) { (reader, key) throws(ArrayFileError) in
          if key == "powers" {
            powers = try reader.scanner.wholeNumbers()
          } else {
            coefficient = try reader.scanner.number()
          }
        }
        guard let coefficient, let powers else {
          throw scanner.failure("a term without \"coefficient\" or \"powers\", expected both")
        }
        guard powers.count == dimension ?? powers.count, powers.allSatisfy({ $0 <= 64 }) else {
          throw scanner.failure(
            "powers \(powers), expected \(dimension ?? powers.count) of them, up to 64")
        }
        dimension = powers.count
        terms.append(PolynomialMap.Term(coefficient, powers: powers))
      }
      coordinates.append(terms)
    }
    guard let dimension else {
      throw scanner.failure(
        "a polynomial without a term, expected one, its coefficient 0 if need be")
    }
    return PolynomialMap(dimension: dimension, coordinates: coordinates)
  }
}
