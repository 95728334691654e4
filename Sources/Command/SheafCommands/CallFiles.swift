import ArgumentParser
import ArrayFiles
import Foundation

/// The files that a call names: what it reads and what it writes.
///
/// No call writes over one of its own inputs or another of its outputs, whatever leads to the file: links,
/// relative parts, hard links, a part named after `#`. Every command declares all of its files here and
/// checks them before any work.
struct CallFiles {
  /// Standard input as an ARRAY and standard output as a file.
  static let standardStream = "-"

  private struct Input {
    let option, text: String
    let identities: Set<FileIdentity>
  }
  private struct Output {
    let option, text: String
    let identities: Set<FileIdentity>
    var isStream: Bool { text == standardStream }
  }
  private var inputs: [Input] = []
  private var outputs: [Output] = []

  /// Declares something that is read: a file, or an ARRAY with a part named after the file.
  mutating func reads(_ option: String, _ reference: String?) {
    guard let reference else { return }
    inputs.append(
      Input(option: option, text: reference, identities: Self.identities(of: reference)))
  }

  /// Declares a file that is written.
  ///
  /// - Parameters:
  ///   - extensions: the endings that its name may have.
  ///   - orPrints: whether `-`, standard output, will do as well.
  mutating func writes(
    _ option: String, _ path: String?, extensions: [String], orPrints: Bool = false
  ) throws {
    guard let path else { return }
    let isStream = orPrints && path == Self.standardStream
    guard isStream || !FileIdentity.isFolder(path) else {
      throw ArrayFileError(
        file: path, problem: "is a folder, expected the name of a file for \(option)")
    }
    guard isStream || extensions.contains(where: { path.lowercased().hasSuffix("." + $0) }) else {
      throw ValidationError(
        "\(option) \(path): expected a name that ends in ."
          + extensions.joined(separator: ", .") + (orPrints ? ", or -" : ""))
    }
    outputs.append(
      Output(
        option: option, text: path, identities: Self.identities(of: [path])))
  }

  /// Declares that standard output holds what a flag asks for.
  mutating func prints(_ flag: String, _ isAsked: Bool) {
    guard isAsked else { return }
    outputs.append(
      Output(option: flag, text: Self.standardStream, identities: []))
  }

  /// Checks all pairs of files, then that every output can be written.
  ///
  /// - Parameter allowed: pairs of an output and an input that may be one file.
  func check(sharing allowed: [(String, String)] = []) throws {
    try checkPairs(allowed)
    for input in inputs where FileIdentity.isFolder(input.text) {
      throw ArrayFileError(
        file: input.text, problem: "is a folder, expected a file for \(input.option)")
    }
    for output in outputs where !output.isStream {
      if let obstacle = FileIdentity.obstacle(toWriting: output.text) {
        throw ArrayFileError(file: output.text, problem: "cannot be written: \(obstacle)")
      }
      if output.option != "--checkpoint", CheckpointFile.isOne(output.text) {
        throw ArrayFileError(
          file: output.text, problem: "is a checkpoint, expected another file for \(output.option)")
      }
    }
  }

  private func checkPairs(_ allowed: [(String, String)]) throws {
    for (i, output) in outputs.enumerated() {
      for other in outputs.dropFirst(i + 1) {
        if output.isStream && other.isStream {
          throw ValidationError(
            "\(output.option) and \(other.option) both ask for standard output, expected one")
        }
        guard output.identities.isDisjoint(with: other.identities) else {
          throw ValidationError(
            "\(output.option) and \(other.option) are one file, \(other.text): expected two")
        }
      }
      for input in inputs
      where !output.identities.isDisjoint(with: input.identities)
        && !allowed.contains(where: { $0 == (output.option, input.option) })
      {
        throw ValidationError(
          "\(output.option) \(output.text) would be written over \(input.option) \(input.text): "
            + "expected another file")
      }
    }
  }

  /// A reference may be a file's name, or one with a part after `#` or rows after `@`: all that it could mean.
  private static func identities(of reference: String) -> Set<FileIdentity> {
    guard reference != standardStream else { return [] }
    let ends = reference.indices.filter { "#@".contains(reference[$0]) }
    return identities(
      of: [reference] + ends.map { String(reference[..<$0]) }.filter { !$0.isEmpty })
  }

  private static func identities(of paths: [String]) -> Set<FileIdentity> {
    Set(paths.filter { $0 != standardStream }.compactMap { FileIdentity($0) })
  }
}
