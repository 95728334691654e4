/// Lengths, or a place, in the plane or in space.
public struct Extent: Sendable, Equatable {
  /// From one image of a volume to the next; nil in the plane.
  public var depth: Int?
  /// Along the columns of an image, downwards.
  public var height: Int
  /// Along a row.
  public var width: Int

  /// The pair (height, width).
  public init(_ height: Int, _ width: Int) {
    (depth, self.height, self.width) = (nil, height, width)
  }

  /// The triple (depth, height, width).
  public init(_ depth: Int, _ height: Int, _ width: Int) {
    (self.depth, self.height, self.width) = (depth, height, width)
  }

  /// One length in each direction of an extent of three lengths, or of fewer: the plane's for two, a
  /// row of the plane for one, where the missing length is `other`.
  public init(_ lengths: [Int], missing other: Int) {
    precondition((1...3).contains(lengths.count), "\(lengths.count) lengths")
    depth = lengths.count == 3 ? lengths[0] : nil
    height = lengths.count > 1 ? lengths[lengths.count - 2] : other
    width = lengths[lengths.count - 1]
  }

  /// The lengths, two or three.
  public var lengths: [Int] { (depth.map { [$0] } ?? []) + [height, width] }
  /// The product of the lengths.
  public var size: Int { (depth ?? 1) * height * width }
}

extension Extent: CustomStringConvertible {
  /// The lengths with crosses between them, such as "3×3".
  public var description: String { lengths.map(String.init).joined(separator: "×") }
}
