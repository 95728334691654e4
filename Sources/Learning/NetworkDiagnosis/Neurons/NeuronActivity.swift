import LinearAlgebra
import NeuralSheaves

/// On which branches of their activations the neurons of one stalk are.
public struct NeuronActivity: Sendable {
  /// The activated vertex.
  public let vertex: Int
  /// Whether neurons are whole channels of a convolution.
  public let areChannels: Bool
  /// By neuron the share of samples, and of places of a channel, on a branch that is not flat.
  public let active: [Double]
  /// By neuron the state that it is in on all samples, where it is in one.
  public let states: [State?]

  /// What a neuron is on all samples.
  public enum State: Sendable, Equatable {
    /// On flat branches, with the lowest value of the activation or with both limits.
    case dead
    /// On one flat branch that is not the lowest.
    case saturated
    /// On one branch that is not flat, where there are others.
    case affine
  }

  /// The activity of all activations of a network with several branches. Cost: the patterns of a state.
  public static func all(_ samples: NetworkSamples) -> [NeuronActivity] {
    let network = samples.network
    let counts = network.channelCounts
    return network.edges.indices.compactMap { e in
      let operation = network.edges[e].operation
      guard operation.kind == .activation, operation.isStateDependent else { return nil }
      var pattern = operation.blankPattern(batch: samples.count)
      _ = operation.readPattern(at: samples.state.stalks[network.edges[e].source], into: &pattern)
      return NeuronActivity(
        vertex: network.edges[e].target, operation, pattern,
        channels: counts[network.edges[e].target])
    }
  }

  private init(
    vertex: Int, _ operation: any NetworkOperation, _ pattern: ActivationPattern, channels: Int
  ) {
    let (n, batch) = (pattern.dimension, pattern.batch)
    let places = n / channels
    self.vertex = vertex
    areChannels = places > 1
    var active: [Double] = []
    var states: [State?] = []
    for channel in 0..<channels {
      var passing = 0
      let row = channel * places
      let functions = (0..<operation.branchCount(ofRow: row)).map {
        operation.branch($0, ofRow: row)
      }
      var isSeen = [Bool](repeating: false, count: functions.count)
      for row in channel * places..<(channel + 1) * places {
        let isFlat = (0..<operation.branchCount(ofRow: row)).map {
          operation.branch($0, ofRow: row).slope == 0
        }
        for j in 0..<batch {
          let b = pattern[row, j]
          isSeen[b] = true
          if !isFlat[b] { passing += 1 }
        }
      }
      let branches = isSeen.indices.filter { isSeen[$0] }
      active.append(Double(passing) / Double(places * batch))
      var state: State?
      if passing == 0 {
        let lowest = functions.filter { $0.slope == 0 }.map(\.offset).min()
        state =
          branches.count == 1 && functions[branches[0]].offset != lowest ? .saturated : .dead
      } else if branches.count == 1 && functions.count > 1 {
        state = .affine
      }
      states.append(state)
    }
    (self.active, self.states) = (active, states)
  }

  /// The neurons in a state.
  public func neurons(_ state: State) -> [Int] { states.indices.filter { states[$0] == state } }

  /// What is to be said of them.
  func findings(_ samples: NetworkSamples) -> [Finding] {
    let network = samples.network
    let name = network.vertices[vertex].name
    let (noun, n) = (areChannels ? "channels" : "neurons", samples.count)
    let list: [(State, Finding.Kind, String)] = [
      (.dead, .dead, "never active"),
      (.saturated, .saturated, "always at the upper limit"),
      (
        .affine, .alwaysActive,
        "always on the same branch (an affine map)"
      ),
    ]
    return list.compactMap { state, kind, words in
      let these = neurons(state)
      guard !these.isEmpty else { return nil }
      return Finding(
        kind, name, coordinates: these, areChannels: areChannels,
        share: Double(these.count) / Double(states.count),
        "\(these.count) of \(states.count) \(noun) of \(name) \(these.count == 1 ? "is" : "are") \(words) on \(n) samples: \(these.shown)"
      )
    }
  }
}

extension [Int] {
  /// The first numbers of a list, in words.
  var shown: String {
    prefix(8).map(String.init).joined(separator: ", ") + (count > 8 ? ", …" : "")
  }
}
