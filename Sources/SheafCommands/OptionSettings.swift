import ArgumentParser

/// The options of a command by name, as texts: to write them down and to give them again.
///
/// They are read off the declarations, so that an option that is added is not forgotten.
enum OptionSettings {
  /// Option name (without dashes) → value; options without a value or with an empty one are left out,
  /// repeatable ones are joined by newlines, and a flag that is set has the empty value.
  static func of(_ options: some ParsableArguments) -> [String: String] {
    var settings: [String: String] = [:]
    visit(options) { name, value, isFlag in
      guard let text = text(value) else { return }
      if isFlag {
        if text == "true" { settings[name] = "" }
      } else if !text.isEmpty {
        settings[name] = text
      }
    }
    return settings
  }

  /// The names of all options.
  static func names(of options: some ParsableArguments) -> Set<String> {
    var names = Set<String>()
    visit(options) { name, _, _ in names.insert(name) }
    return names
  }

  /// The command line that gives these options.
  static func arguments(_ settings: [String: String]) -> [String] {
    settings.sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
      value.isEmpty ? ["--\(name)"] : value.split(separator: "\n").map { "--\(name)=\($0)" }
    }
  }

  private static func visit(_ options: Any, _ body: (String, Any, Bool) -> Void) {
    for child in Mirror(reflecting: options).children {
      guard let label = child.label else { continue }
      switch child.value {
      case let group as any ReadableGroup: visit(group.options, body)
      case let option as any ReadableOption: body(optionName(label), option.value, option.isFlag)
      default: continue
      }
    }
  }

  private static func text(_ value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.flatMap { text($0.value) }
    case .collection:
      let list = mirror.children.compactMap { text($0.value) }
      return list.isEmpty ? nil : list.joined(separator: "\n")
    default:
      if let raw = value as? any RawRepresentable, let text = raw.rawValue as? String {
        return text
      }
      return "\(value)"
    }
  }

  /// `_rateEnd` → `rate-end`.
  private static func optionName(_ label: String) -> String {
    label.drop { $0 == "_" }.reduce("") {
      $0 + ($1.isUppercase ? "-\($1.lowercased())" : String($1))
    }
  }
}

private protocol ReadableOption {
  var value: Any { get }
  var isFlag: Bool { get }
}
extension Option: ReadableOption {
  fileprivate var value: Any { wrappedValue }
  fileprivate var isFlag: Bool { false }
}
extension Flag: ReadableOption {
  fileprivate var value: Any { wrappedValue }
  fileprivate var isFlag: Bool { true }
}

private protocol ReadableGroup { var options: Any { get } }
extension OptionGroup: ReadableGroup { fileprivate var options: Any { wrappedValue } }
