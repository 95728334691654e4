import ArrayFiles
import Foundation
import NeuralSheaves
import SheafProbability

/// Variances of a network's noise in a file: what `sheaf stiffness --out` writes and `sheaf forward --noise` reads.
struct NoiseFile: Codable {
  struct Component: Codable {
    let edge: String?
    let kind: String
    let gain: Bool
    let variance: Double
  }

  /// n₀ and n_{k+1} of the network.
  let inputs, outputs: Int
  /// The names of its edges.
  let edges: [String]
  /// What is added to the variance of each output.
  let floor: Double
  let components: [Component]

  init(_ report: StiffnessReport, of network: Network) {
    (inputs, outputs) = (network.inputDimension, network.outputDimension)
    edges = network.edges.indices.map { network.edgeName($0) }
    floor = report.model.floor
    components = zip(report.components, report.fit.variances).map { component, variance in
      let (edge, kind) = StiffnessReport.names(component, of: network)
      return Component(edge: edge, kind: kind, gain: component.isGain, variance: variance)
    }
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  /// The noise of a network from a file.
  ///
  /// - Throws: `ArrayFileError` for a file that is none of these, or one of another network.
  static func read(_ path: String, for network: Network) throws -> ComponentNoise {
    func problem(_ text: String) -> ArrayFileError { ArrayFileError(file: path, problem: text) }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw problem("cannot be read, expected a .json file that sheaf stiffness --out wrote")
    }
    let file: NoiseFile
    do { file = try JSONDecoder().decode(NoiseFile.self, from: data) } catch {
      throw problem(
        "is no noise of a network, expected what sheaf stiffness --out writes: inputs, outputs, edges, floor and components"
      )
    }
    guard file.inputs == network.inputDimension && file.outputs == network.outputDimension else {
      throw problem(
        "is the noise of a network with \(file.inputs) inputs and \(file.outputs) outputs, expected "
          + "\(network.inputDimension) and \(network.outputDimension)")
    }
    let names = network.edges.indices.map { network.edgeName($0) }
    guard file.edges == names else {
      throw problem(
        "is the noise of a network with the edges \(file.edges.shortList), expected \(names.shortList)"
      )
    }
    var components = [NoiseComponent(.constant)]
    var variances = [file.floor]
    for component in file.components {
      let source: NoiseComponent.Source
      switch (component.edge, component.kind) {
      case (let edge?, _):
        guard let e = names.firstIndex(of: edge) else {
          throw problem(
            "has a component on edge \(edge.printable), expected one of \(names.shortList)")
        }
        source = .edge(e)
      case (nil, "constant"): source = .constant
      case (nil, "input"): source = .input
      case (nil, let kind):
        guard let kind = OperationKind(rawValue: kind) else {
          throw problem(
            "has a component of kind \(kind.printable), expected constant, input, "
              + OperationKind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        source = .kind(kind)
      }
      guard !component.gain || source != .constant && source != .input else {
        throw problem("has a gain on \(component.kind), expected gains of edges and kinds of edges")
      }
      components.append(NoiseComponent(source, isGain: component.gain))
      variances.append(component.variance)
    }
    do {
      return try ComponentNoise(components, variances: variances, of: network)
    } catch { throw problem("\(error)") }
  }
}

extension [String] {
  /// The first names of a list.
  fileprivate var shortList: String {
    prefix(6).map(\.printable).joined(separator: ", ") + (count > 6 ? ", … (\(count))" : "")
  }
}
