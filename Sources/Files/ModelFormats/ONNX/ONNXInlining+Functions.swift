import ArrayFiles

/// The functions of a model.
extension ONNXInlining {
  /// The operator set that a function is written in; the caller's where it names none.
  func operatorSet(
    of function: ONNXFunctionProto, for node: ONNXNode
  ) throws(ArrayFileError) -> Int {
    let own = function.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }
    guard let own else { return node.operatorSet }
    let sets = ONNXFile.operatorSets
    guard sets.contains(Int(own.version)) else {
      throw node.failure(
        "is a function of operator set \(own.version), expected \(sets.lowerBound) to "
          + "\(sets.upperBound)")
    }
    return Int(own.version)
  }

  /// The nodes of a function, with the tensors and attributes of the node that calls it.
  mutating func body(
    of function: ONNXFunctionProto, for call: ONNXNode
  ) -> [ONNXNodeProto] {
    var attributes: [String: ONNXAttributeProto] = [:]
    for a in function.attributeProto + call.proto.attribute { attributes[a.name] = a }
    var tensors: [String: String] = [:]
    for (i, name) in function.input.enumerated() {
      tensors[name] = i < call.inputs.count ? call.inputs[i] : ""
    }
    let copies = rename(
      function.output, made: function.node.flatMap(\.output), as: call.outputs, &tensors, call,
      keepsNames: false)
    for name in function.node.flatMap({ $0.input + $0.captured }) where tensors[name] == nil {
      tensors[name] = name.isEmpty ? "" : unique("\(call.name)/\(name)")
    }
    let nodes = function.node.map { node in
      var result = node.with(tensors, attributes)
      if !node.name.isEmpty { result.name = "\(call.name)/\(node.name)" }
      return result
    }
    return nodes + copies.map { .copy(of: tensors[$0.source] ?? "", to: $0.target) }
  }
}
