import ArgumentParser

/// The options of a command by name, as texts: to write them down and to give them again.
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
      case let group as any DeclaredGroup: visit(group.options, body)
      case let option as any DeclaredOption:
        body(Declarations.name(of: label), option.value, option.isFlag)
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
}
