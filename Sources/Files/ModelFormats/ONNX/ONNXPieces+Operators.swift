import ArrayFiles

/// What the operators on each element do to functions of one coordinate.
extension ONNXPieces {
  /// Operators whose results jump, or may.
  static let gates: Set<String> = [
    "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Shrink", "Sign",
    "ThresholdedRelu", "Where",
  ]

  /// Operators that are continuous, and those on what the others make.
  static let others: Set<String> = [
    "Abs", "Add", "And", "Cast", "CastLike", "Clip", "Div", "Dropout", "HardSigmoid", "Identity",
    "LeakyRelu", "Max", "Mean", "Min", "Mul", "Neg", "Not", "Or", "PRelu", "Relu", "Sub", "Sum",
    "Xor",
  ]

  /// The function of an operator's operands, one for each input that is there; it gives nil where the result is
  /// not piecewise affine.
  static func operation(
    _ node: ONNXNode
  ) throws(ArrayFileError) -> (([PieceFunction]) -> PieceFunction?)? {
    typealias F = PieceFunction
    func larger(_ f: F, _ g: F) -> F? { F.choice(F.difference(f, g).isPositive, f, g) }
    func smaller(_ f: F, _ g: F) -> F? { F.choice(F.difference(f, g).isPositive, g, f) }
    func isGreater(_ f: F, _ g: F) -> F { F.difference(f, g).isPositive }
    func negation(_ f: F) -> F { f.mapped { $0 == 0 ? 1 : 0 } }
    func fold(_ list: [F], _ combine: (F, F) -> F?) -> F? {
      list.dropFirst().reduce(list.first) { result, f in result.flatMap { combine($0, f) } }
    }
    func logical(_ list: [F], _ combine: @escaping (Bool, Bool) -> Bool) -> F? {
      guard list.count == 2, list.allSatisfy(\.isPiecewiseConstant) else { return nil }
      let (p, q) = (list[0].mapped { $0 != 0 ? 1 : 0 }, list[1].mapped { $0 != 0 ? 2 : 0 })
      return F.sum(p, q).mapped { n in
        combine(n == 1 || n == 3, n >= 2) ? 1 : 0
      }
    }
    switch node.type {
    case "Add", "Sum": return { fold($0, F.sum) }
    case "Mean": return { list in fold(list, F.sum)?.scaled(by: 1 / Double(list.count)) }
    case "Sub": return { $0.count == 2 ? F.difference($0[0], $0[1]) : nil }
    case "Mul": return { fold($0, F.product) }
    case "Div":
      return { list in
        guard list.count == 2, list[1].isPiecewiseConstant,
          (list[1].offsets + list[1].values).allSatisfy({ $0 != 0 })
        else { return nil }
        return F.product(list[0], list[1].mapped { 1 / $0 })
      }
    case "Neg": return { $0[0].scaled(by: -1) }
    case "Abs": return { larger($0[0], $0[0].scaled(by: -1)) }
    case "Relu": return { larger($0[0], .constant(0)) }
    case "LeakyRelu":
      let slope = try node.real("alpha") ?? 0.01
      return { F.choice($0[0].isPositive, $0[0], $0[0].scaled(by: slope)) }
    case "PRelu":
      return { list in
        F.product(list[0], list[1]).flatMap { F.choice(list[0].isPositive, list[0], $0) }
      }
    case "HardSigmoid":
      let (slope, offset) = (try node.real("alpha") ?? 0.2, try node.real("beta") ?? 0.5)
      return { list in
        larger(F.sum(list[0].scaled(by: slope), .constant(offset)), .constant(0)).flatMap {
          smaller($0, .constant(1))
        }
      }
    case "Max": return { fold($0, larger) }
    case "Min": return { fold($0, smaller) }
    case "Clip":
      let (low, high) = (try node.real("min"), try node.real("max"))
      // A bound that is left out is no operand.
      let bounds = node.inputs.dropFirst().map { !$0.isEmpty }
      return { list in
        var rest = list.dropFirst()
        let lower = bounds.first == true ? rest.popFirst() : low.map { .constant($0) }
        let upper = bounds.dropFirst().first == true ? rest.popFirst() : high.map { .constant($0) }
        let above = lower.map { larger(list[0], $0) } ?? list[0]
        return upper.map { bound in above.flatMap { smaller($0, bound) } } ?? above
      }
    case "Greater": return { isGreater($0[0], $0[1]) }
    case "Less": return { isGreater($0[1], $0[0]) }
    case "GreaterOrEqual": return { negation(isGreater($0[1], $0[0])) }
    case "LessOrEqual": return { negation(isGreater($0[0], $0[1])) }
    case "Equal":
      return { negation(F.sum(isGreater($0[0], $0[1]), isGreater($0[1], $0[0]))) }
    case "Sign": return { F.difference($0[0].isPositive, $0[0].scaled(by: -1).isPositive) }
    case "Not": return { $0[0].isPiecewiseConstant ? negation($0[0]) : nil }
    case "And": return { logical($0) { $0 && $1 } }
    case "Or": return { logical($0) { $0 || $1 } }
    case "Xor": return { logical($0) { $0 != $1 } }
    case "Where": return { $0.count == 3 ? F.choice($0[0], $0[1], $0[2]) : nil }
    case "ThresholdedRelu":
      let threshold = try node.real("alpha") ?? 1
      return { F.choice(isGreater($0[0], .constant(threshold)), $0[0], .constant(0)) }
    case "Shrink":
      let (threshold, bias) = (try node.real("lambd") ?? 0.5, try node.real("bias") ?? 0)
      return { list in
        let f = list[0]
        return F.choice(
          isGreater(.constant(-threshold), f), F.sum(f, .constant(bias)), .constant(0)
        ).flatMap {
          F.choice(isGreater(f, .constant(threshold)), F.sum(f, .constant(-bias)), $0)
        }
      }
    case "Cast":
      switch try node.integer("to") ?? 1 {
      case 1, 10, 11, 16: return { $0[0] }
      case 9: return { $0[0].isPiecewiseConstant ? negation(negation($0[0])) : nil }
      default:
        return { $0[0].isPiecewiseConstant ? $0[0].mapped { $0.rounded(.towardZero) } : nil }
      }
    case "CastLike", "Dropout", "Identity": return { $0[0] }
    default: return nil
    }
  }
}
