import Foundation

/// Graphviz's `dot`, a command of its own, which lays graphs out.
public enum Graphviz {
  /// What a drawing can be written as.
  public typealias Format = DrawingFormat

  /// A text in Graphviz's language drawn by `dot`.
  ///
  /// - Throws: `DrawingFailure`.
  public static func draw(_ dot: String, as format: Format) throws -> Data {
    try ExternalCommand(name: "dot", package: "graphviz")
      .run(["-T\(format.rawValue)"], on: dot).output
  }
}
