extension Network {
  /// The network behind an operation on its input: f ∘ P.
  ///
  /// The new vertex is the first of its letter, so that numbers of others go up: behind a scaling z₁ is
  /// the scaled input, and what was z₁ is z₂. Other names of the input stay with the input.
  public func preceded(by operation: any NetworkOperation) -> Network {
    precondition(
      operation.targetDimension == inputDimension
        && operation.targetRows.count == inputDimension,
      "an operation to dimension \(operation.targetDimension) before \(inputDimension)")
    var result = Network(
      inputDimension: operation.sourceDimension, outputActivation: outputActivation)
    result.append(operation, to: 0)
    result.append(contentsOf: self)
    for (name, vertex) in aliases {
      result.addAlias(name, of: vertex == 0 ? 0 : vertex + 1)
    }
    for shared in sharedParameters {
      result.addSharedParameter(shared.name, edges: shared.edges.map { $0 + 1 })
    }
    result.classNames = classNames
    return result
  }
}
