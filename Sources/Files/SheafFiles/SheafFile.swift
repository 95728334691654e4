import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import SheafInference

/// A sheaf read from a file: JSON as below, or a plain graph with the constant sheaf, from GraphML (`.graphml`, `.xml`) or
/// a table of edges (`.csv`, `.tsv`, `.txt`).
///
///     {"cells": [{"id": "a", "stalk": 2},
///                {"id": "b", "stalk": 2},
///                {"id": "ab", "stalk": 1, "weight": 4,
///                 "faces": [{"of": "a", "sign": -1, "map": [[1, 0]]}, {"of": "b", "sign": 1, "map": [[0, 1]]}]}]}
///
/// A cell without faces has dimension 0, unless it says another: `"dimension": 1` is an edge without ends. A map is a list of rows, a number (that multiple of the identity) or "identity"; a weight a number, a list (a
/// diagonal) or a list of rows. Other forms:
/// `{"graph": [["a", "b"], …], "vertices": ["c", …], "stalk": d}`,
/// `{"points": [[…], …], "radius": r, "maximumDimension": k, "stalk": d}`, a Vietoris–Rips complex, and
/// `{"poset": [{"id": "a", "stalk": 1, "below": [{"of": "b", "map": 2}]}]}`.
public struct SheafFile: Sendable {
  /// A sheaf, on one kind of base or the other.
  public enum Content: Sendable {
    /// On a cell complex.
    case cellular(CellularSheaf)
    /// On a poset.
    case poset(PosetSheaf)
    /// With maps that are not linear, on a poset or the face poset of a complex.
    case nonlinear(NonlinearSheaf)
  }

  /// Reads the network that a map names.
  public typealias NetworkLoader = @Sendable (String) throws(ArrayFileError) -> any SmoothMap

  /// Refuses networks.
  public static let noNetworks: NetworkLoader = { path throws(ArrayFileError) in
    throw ArrayFileError(
      file: path, problem: "a network as a map, expected a reader that is told how to load it")
  }

  /// The sheaf.
  public let content: Content
  /// Where to draw vertices: those with a `"position": [x, y]`, and the points of a Vietoris–Rips complex.
  public let positions: [String: [Double]]

  init(_ content: Content, positions: [String: [Double]] = [:]) {
    (self.content, self.positions) = (content, positions)
  }

  /// Reads a file, or standard input for `-`.
  ///
  /// Functoriality is not looked at but on posets: `CellularSheaf.check` does.
  ///
  /// - Throws: `ArrayFileError`, which names the file, the cells and what was found and expected.
  /// - Complexity: proportional to the size of the file; memory some five times as much.
  public init(
    contentsOf path: String, networks: @escaping NetworkLoader = SheafFile.noNetworks
  ) throws(ArrayFileError) {
    var data = try ArrayFile.bytes(path)
    let file = path == "-" ? "standard input" : path
    var name = path.lowercased()
    if name.hasSuffix(".gz") || Gzip.isGzip(data) {
      data = try Gzip.unpack(data, file: file)
      if name.hasSuffix(".gz") { name.removeLast(3) }
    }
    switch URL(fileURLWithPath: name).pathExtension {
    case "graphml", "xml": self.init(.cellular(try GraphReader(graphML: data, file: file).sheaf()))
    case "csv", "tsv", "txt": self.init(.cellular(try GraphReader(table: data, file: file).sheaf()))
    default: try self.init(json: data, file: file, networks: networks)
    }
  }

  /// Reads JSON.
  ///
  /// - Parameter file: the name for messages.
  public init(
    json data: Data, file: String, networks: @escaping NetworkLoader = SheafFile.noNetworks
  ) throws(ArrayFileError) {
    var reader = SheafReader(JSONScanner(data, file: file, whole: "the sheaf"))
    reader.networks = networks
    self = try reader.read()
  }

  /// The sheaf on a complex that has this one's cohomology: itself, or that on the order complex of the poset; nil for maps
  /// that are not linear.
  public func cellular(maximumDimension: Int = .max) -> CellularSheaf? {
    switch content {
    case .cellular(let sheaf): sheaf
    case .poset(let sheaf): sheaf.onOrderComplex(maximumDimension: maximumDimension)
    case .nonlinear: nil
    }
  }
}
