#if Qhull
  import CQhull
  import Foundation
#endif

/// Delaunay triangulations by Qhull (Barber, Dobkin, Huhdanpaa 1996), as the lower hull of points lifted to a
/// paraboloid.
enum QhullDelaunay {
  /// The cells of full dimension, d + 1 points each, one after the other.
  ///
  /// - Parameters:
  ///   - coordinates: of different points that span the space, point after point, in [−1, 1].
  ///   - d: the dimension, from 2 on.
  /// - Throws: `quantity` where rounding spoils the hull, and in a build without Qhull.
  static func cells(
    _ coordinates: [Double], dimension d: Int
  ) throws(PersistenceError) -> [Int32] {
    #if Qhull
      var coordinates = coordinates
      let count = Int32(coordinates.count / d)
      let result = coordinates.withUnsafeMutableBufferPointer {
        cqhull_delaunay(Int32(d), count, $0.baseAddress)
      }
      defer {
        free(result.cells)
        free(result.message)
      }
      guard result.status == 0, let cells = result.cells else {
        let text = result.message.map { String(cString: $0) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("QH") }
        throw .quantity(
          name: "points",
          found: "no Delaunay triangulation: \(line ?? "Qhull's status \(result.status)")",
          expected: "points farther apart or in a more general position")
      }
      return Array(UnsafeBufferPointer(start: cells, count: Int(result.count) * (d + 1)))
    #else
      throw .quantity(
        name: "a Delaunay triangulation", found: "a build without the package trait Qhull",
        expected: "a build with the trait Qhull, which is on by default")
    #endif
  }
}
