import ArgumentParser
import Foundation

extension Option: @retroactive Encodable where Value: Encodable {
  /// The value alone.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}
extension Flag: @retroactive Encodable where Value: Encodable {
  /// Whether it is set, or which of its cases.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}
extension OptionGroup: @retroactive Encodable where Value: Encodable {
  /// The options of the group.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

/// The options of a command by name, as texts: to write them down and to give them again.
enum OptionSettings {
  /// Option name (without dashes) → value; options without a value or with an empty one are left out,
  /// repeatable ones are joined by newlines, and a flag that is set has the empty value.
  static func of(_ options: some ParsableArguments & Encodable) throws -> [String: String] {
    let data = try JSONEncoder().encode(options)
    return try JSONDecoder().decode(EncodedOption.self, from: data).settings(named: "")
  }

  /// The command line that gives these options.
  static func arguments(_ settings: [String: String]) -> [String] {
    settings.sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
      value.isEmpty ? ["--\(name)"] : value.split(separator: "\n").map { "--\(name)=\($0)" }
    }
  }
}

/// An option, or a group of them by label, as it is encoded.
private enum EncodedOption: Decodable {
  case missing
  case flag(Bool)
  case text(String)
  case list([EncodedOption])
  case group([String: EncodedOption])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .missing
    } else if let group = try? value.decode([String: EncodedOption].self) {
      self = .group(group)
    } else if let list = try? value.decode([EncodedOption].self) {
      self = .list(list)
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let whole = try? value.decode(UInt64.self) {
      self = .text("\(whole)")
    } else if let number = try? value.decode(Double.self) {
      self = .text("\(number)")
    } else {
      self = .text(try value.decode(String.self))
    }
  }

  func settings(named name: String) -> [String: String] {
    switch self {
    case .missing, .flag(false), .text(""): return [:]
    case .flag(true): return [name: ""]
    case .text(let text): return [name: text]
    case .list(let list):
      let texts = list.flatMap { $0.settings(named: name).values }
      return texts.isEmpty ? [:] : [name: texts.joined(separator: "\n")]
    case .group(let group):
      return group.reduce(into: [:]) { result, option in
        let name = Declarations.name(of: option.key)
        result.merge(option.value.settings(named: name)) { $1 }
      }
    }
  }
}
