import LinearAlgebra

/// How to cut a batch into blocks of samples that one thread works on at a time.
///
/// Samples do not interact, so a block can be stepped by itself. Blocks are chosen small enough
/// that a layer stays in the cache, and wide enough that products stay efficient.
public enum SampleBlocks {
  /// The blocks of a batch, as ranges of samples.
  public static func ranges(network: Network, batch: Int, threads: Int) -> [Range<Int>] {
    // Measured: narrow networks want all layers of a block in the second cache, wide dense ones
    // products of at least 128 columns, convolutional ones, whose products are as wide as an image,
    // a block of a few megabytes.
    let width = network.vertices.map(\.dimension).max() ?? 1
    let size = min(width <= 64 ? 150 : 128, max(1, 400_000 / max(network.freeDimension, 1)))
    var count = max(1, batch / size)
    if threads > 1 { count = (count + threads - 1) / threads * threads }
    count = min(count, max(batch, 1))
    return (0..<count).map { $0 * batch / count..<($0 + 1) * batch / count }
  }

  /// The number of threads worth using: 1 where a step costs less than handing it over.
  public static func threads(network: Network, batch: Int, limit: Int) -> Int {
    let work = 4 * network.cost * batch
    return work < 4_000_000 ? 1 : max(1, min(limit, batch))
  }
}
