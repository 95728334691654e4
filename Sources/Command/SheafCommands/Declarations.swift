import ArgumentParser

/// The options and arguments of a command, read off its declarations: an option that is added is not
/// forgotten.
struct Declarations {
  /// An option or a flag.
  struct Named {
    /// The name without dashes.
    let name: String
    let isFlag: Bool
    /// Whether it may be given several times.
    let isRepeatable: Bool
    /// The type of one value.
    let type: Any.Type
  }

  /// Options and flags in the order of their declaration.
  private(set) var options: [Named] = []
  /// The names of positional arguments.
  private(set) var arguments: [String] = []
  /// Whether the last of them takes all that are left.
  private(set) var takesRest = false

  /// The declarations of a command or a group of options.
  init(of type: any ParsableArguments.Type) { read(type) }

  private mutating func read(_ type: any ParsableArguments.Type) {
    for child in Mirror(reflecting: type.init()).children {
      guard let label = child.label else { continue }
      switch child.value {
      case let group as any DeclaredGroup: read(Swift.type(of: group).groupType)
      case let option as any DeclaredOption:
        let value = Swift.type(of: option).valueType
        options.append(
          Named(
            name: Self.name(of: label), isFlag: option.isFlag,
            isRepeatable: (value as? any ValueContainer.Type)?.isRepeatable ?? false,
            type: Self.element(of: value)))
      case let argument as any DeclaredArgument:
        arguments.append(Self.name(of: label))
        let value = Swift.type(of: argument).valueType
        takesRest = (value as? any ValueContainer.Type)?.isRepeatable ?? false
      default: continue
      }
    }
  }

  /// The option of a name.
  func option(_ name: String) -> Named? { options.first { $0.name == name } }

  /// The option's name for a label: `_rateEnd` → `rate-end`.
  static func name(of label: String) -> String {
    label.drop { $0 == "_" }.reduce("") {
      $0 + ($1.isUppercase ? "-\($1.lowercased())" : String($1))
    }
  }

  /// The type of one value of what may be several or none.
  private static func element(of type: Any.Type) -> Any.Type {
    (type as? any ValueContainer.Type).map { element(of: $0.elementType) } ?? type
  }
}

protocol DeclaredOption {
  static var valueType: Any.Type { get }
  var isFlag: Bool { get }
}
extension Option: DeclaredOption {
  static var valueType: Any.Type { Value.self }
  var isFlag: Bool { false }
}
extension Flag: DeclaredOption {
  static var valueType: Any.Type { Value.self }
  var isFlag: Bool { true }
}

protocol DeclaredGroup {
  static var groupType: any ParsableArguments.Type { get }
}
extension OptionGroup: DeclaredGroup {
  static var groupType: any ParsableArguments.Type { Value.self }
}

private protocol DeclaredArgument {
  static var valueType: Any.Type { get }
}
extension Argument: DeclaredArgument {
  fileprivate static var valueType: Any.Type { Value.self }
}

private protocol ValueContainer {
  static var elementType: Any.Type { get }
  static var isRepeatable: Bool { get }
}
extension Optional: ValueContainer {
  fileprivate static var elementType: Any.Type { Wrapped.self }
  fileprivate static var isRepeatable: Bool { false }
}
extension Array: ValueContainer {
  fileprivate static var elementType: Any.Type { Element.self }
  fileprivate static var isRepeatable: Bool { true }
}
