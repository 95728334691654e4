import ArgumentParser
import NeuralSheaves

/// How the inputs of a network are drawn, where they are images.
struct SampleImages {
  /// The shape of an image: channels (1 or 3), height, width, in the order in which the input holds them.
  struct Shape: Equatable {
    let channels, height, width: Int

    init(channels: Int, height: Int, width: Int) {
      (self.channels, self.height, self.width) = (channels, height, width)
    }

    /// `HxW`, `CxHxW` with 1 or 3 channels; nil for `none`.
    init?(option: String) throws {
      if option == "none" { return nil }
      let parts = option.split(maxSplits: 5, omittingEmptySubsequences: false) { "x×".contains($0) }
        .map { Int($0) ?? 0 }
      guard (2...3).contains(parts.count), parts.allSatisfy({ $0 > 0 && $0 <= 4096 }),
        parts.count == 2 || [1, 3].contains(parts[0])
      else {
        throw ValidationError(
          "--image is \(option), expected HEIGHTxWIDTH, 1xHEIGHTxWIDTH, 3xHEIGHTxWIDTH or none")
      }
      let three = parts.count == 2 ? [1] + parts : parts
      self.init(channels: three[0], height: three[1], width: three[2])
    }

    var count: Int { channels * height * width }
  }

  /// The shape; nil where inputs are no images.
  let shape: Shape?
}

extension SampleImages {
  /// The images of a network's input: of the shape that was asked for, else as the network's first convolution has it, else, for 64 coordinates
  /// or more, square.
  ///
  /// - Parameter asked: nil where nothing was asked for; `.some(nil)` for none.
  /// - Throws: a shape that does not fit the input.
  init(_ network: Network, asked: Shape??) throws {
    let n = network.inputDimension
    if let asked {
      if let shape = asked, shape.count != n {
        throw NetworkError.quantity(
          name: "--image", found: "\(shape.channels)×\(shape.height)×\(shape.width)",
          expected: "\(n) numbers as in the input")
      }
      shape = asked
      return
    }
    shape = Self.convolution(network) ?? Self.square(n)
  }

  private static func convolution(_ network: Network) -> Shape? {
    for edge in network.edges
    where network.vertices[edge.source].dimension == network.inputDimension {
      guard let operation = edge.operation as? Convolutional else { continue }
      let window = operation.convolution.window
      guard window.image.depth == nil, [1, 3].contains(window.channels),
        window.image.height > 1 && window.image.width > 1
      else { return nil }
      return Shape(
        channels: window.channels, height: window.image.height, width: window.image.width)
    }
    return nil
  }

  private static func square(_ n: Int) -> Shape? {
    for channels in [1, 3] where n % channels == 0 {
      let side = Int(Double(n / channels).squareRoot().rounded())
      if side >= 8 && channels * side * side == n {
        return Shape(channels: channels, height: side, width: side)
      }
    }
    return nil
  }
}
