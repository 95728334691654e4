import ArrayFiles
import Foundation

/// One node of an ONNX graph with its attributes at hand.
struct ONNXNode {
  let file: String
  let proto: ONNXNodeProto
  /// The operator set that its operator is of.
  let operatorSet: Int
  /// The tensors that the graphs among its attributes read.
  let captured: [String]
  private let attributes: [String: ONNXAttributeProto]

  init(_ proto: ONNXNodeProto, file: String, operatorSet: Int) {
    self.operatorSet = operatorSet
    self.proto = proto
    self.file = file
    captured = proto.captured
    attributes = Dictionary(
      proto.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The operator, with its domain where that is not ONNX's own.
  var type: String {
    proto.domain.isEmpty || proto.domain == "ai.onnx"
      ? proto.opType : "\(proto.domain)::\(proto.opType)"
  }

  /// The node's name or, where it has none, that of its first output.
  var name: String { proto.name.isEmpty ? proto.output.first ?? "?" : proto.name }

  /// The names of its inputs; empty for one that is left out.
  var inputs: [String] { proto.input }
  /// All tensors that it reads.
  var reads: [String] { captured.isEmpty ? proto.input : proto.input + captured }
  /// The names of its outputs.
  var outputs: [String] { proto.output }

  /// An error about this node.
  func failure(_ problem: String) -> ArrayFileError {
    ArrayFileError(
      file: file, problem: "\(type.printable) \"\(name.printable)\": \(problem)")
  }

  /// An attribute that is a whole number.
  func integer(_ name: String) throws(ArrayFileError) -> Int? {
    guard let a = attributes[name] else { return nil }
    guard a.hasI || (a.type == 2 && !a.hasF && !a.hasS) else {
      throw failure("attribute \(name) is not a whole number")
    }
    return Int(a.i)
  }

  /// An attribute that is a real number.
  func real(_ name: String) throws(ArrayFileError) -> Double? {
    guard let a = attributes[name] else { return nil }
    guard a.hasF || a.type == 1, a.f.isFinite else {
      throw failure("attribute \(name) is not a finite number")
    }
    // The shortest decimal of a float, so that 0.1 is 0.1.
    return Double("\(a.f)") ?? Double(a.f)
  }

  /// An attribute that is a list of whole numbers.
  func integers(_ name: String) throws(ArrayFileError) -> [Int]? {
    guard let a = attributes[name] else { return nil }
    guard a.type == 7 || !a.ints.isEmpty else {
      throw failure("attribute \(name) is not a list of whole numbers")
    }
    return a.ints.map { Int($0) }
  }

  /// An attribute that is a list of real numbers.
  func reals(_ name: String) throws(ArrayFileError) -> [Double]? {
    guard let a = attributes[name] else { return nil }
    guard a.type == 6 || !a.floats.isEmpty, a.floats.allSatisfy(\.isFinite) else {
      throw failure("attribute \(name) is not a list of finite numbers")
    }
    return a.floats.map { Double($0) }
  }

  /// An attribute that is a text.
  func text(_ name: String) throws(ArrayFileError) -> String? {
    guard let a = attributes[name] else { return nil }
    return String(decoding: a.s, as: UTF8.self)
  }

  /// The value of a node `Constant`, which one of several attributes holds.
  func constant(_ reader: ONNXTensorReader) throws(ArrayFileError) -> ONNXConstant {
    if let a = attributes["value"], a.hasT {
      return try reader.constant(a.t, name: name)
    }
    if let a = attributes["value_float"] { return ONNXConstant(shape: [], .real([Double(a.f)])) }
    if let a = attributes["value_int"] { return ONNXConstant(shape: [], .integer([Int(a.i)])) }
    if let a = attributes["value_floats"] {
      return ONNXConstant(shape: [a.floats.count], .real(a.floats.map { Double($0) }))
    }
    if let a = attributes["value_ints"] {
      return ONNXConstant(shape: [a.ints.count], .integer(a.ints.map { Int($0) }))
    }
    throw failure("expected an attribute value with a tensor or numbers")
  }

  /// The tensor of an attribute, if it is there.
  func tensor(_ name: String, _ reader: ONNXTensorReader) throws(ArrayFileError) -> ONNXConstant? {
    guard let a = attributes[name], a.hasT else { return nil }
    return try reader.constant(a.t, name: self.name)
  }

  /// The graph of an attribute, if it is there.
  func graph(_ name: String) -> ONNXGraphProto? {
    guard let a = attributes[name], a.hasG else { return nil }
    return a.g
  }

  /// A zero-based axis below `rank` from one that may count from the end.
  func axis(_ axis: Int, rank: Int) throws(ArrayFileError) -> Int {
    guard (-rank..<rank).contains(axis) else {
      throw failure("axis \(axis) of a tensor with \(rank) axes")
    }
    return axis < 0 ? axis + rank : axis
  }
}
