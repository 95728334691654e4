import LinearAlgebra

extension SupernodalBlocks {
  /// The entries of (L Lᵀ)⁻¹ on the pattern of L, in place of L; the diagonal blocks with both triangles.
  mutating func invert() {
    let supernodes = supernodes
    var (tallest, largest) = (0, 0)
    for s in 0..<count {
      let width = columnStarts[s + 1] - columnStarts[s]
      let below = rowStarts[s + 1] - rowStarts[s] - width
      (tallest, largest) = (max(tallest, below), max(largest, below * width))
    }
    let count = count
    values.withUnsafeMutableBufferPointer { z in
      rows.withUnsafeBufferPointer { rows in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: tallest + 1) { places in
          guard let z = z.baseAddress, let rows = rows.baseAddress else { return }
          let sweep = InverseSweep(
            columnStarts: columnStarts, rowStarts: rowStarts, valueStarts: valueStarts,
            supernodes: supernodes, rows: rows, z: z, places: places.baseAddress!,
            inner: .allocate(capacity: tallest * tallest), side: .allocate(capacity: largest))
          defer {
            sweep.inner.deallocate()
            sweep.side.deallocate()
          }
          for s in (0..<count).reversed() { sweep.step(s) }
        }
      }
    }
  }
}

/// The way from the last supernode to the first, with room for one step.
private struct InverseSweep {
  let columnStarts: [Int]
  let rowStarts: [Int]
  let valueStarts: [Int]
  let supernodes: [Int32]
  let rows: UnsafePointer<Int32>
  /// L up to the supernode of the step, A⁻¹ from the next one on.
  let z: UnsafeMutablePointer<Double>
  /// Where the rows below stand in the block of an ancestor.
  let places: UnsafeMutablePointer<Int32>
  /// The lower triangle of Z_RR.
  let inner: UnsafeMutablePointer<Double>
  /// L_RJ L_JJ⁻¹.
  let side: UnsafeMutablePointer<Double>

  func step(_ s: Int) {
    let width = columnStarts[s + 1] - columnStarts[s]
    let height = rowStarts[s + 1] - rowStarts[s]
    let below = height - width
    let block = z + valueStarts[s]
    if below > 0 {
      for j in 0..<width {
        (side + j * below).update(from: block + width + j * height, count: below)
      }
      BLAS.solveFromRight(
        lowerTriangle: (.init(block), height), m: below, n: width, into: side, stride: below)
      gather(rows + rowStarts[s] + width, count: below)
      BLAS.multiply(
        symmetric: (.init(inner), below), (.init(side), below), m: below, n: width, scale: -1,
        into: block + width, stride: height)
    }
    BLAS.invert(factored: block, stride: height, n: width)
    if below > 0 {
      BLAS.multiply(
        (.init(side), below), (.init(block + width), height), transposing: .left, m: width,
        n: width, inner: below, scale: -1, keeping: 1, into: block, stride: height)
    }
    for j in 1..<max(width, 1) {
      for i in 0..<j { block[i + j * height] = block[j + i * height] }
    }
  }

  /// The lower triangle of Z at the given rows, from the blocks of the ancestors to which they belong.
  private func gather(_ chosen: UnsafePointer<Int32>, count: Int) {
    var start = 0
    while start < count {
      let s = Int(supernodes[Int(chosen[start])])
      let (first, end) = (Int32(columnStarts[s]), Int32(columnStarts[s + 1]))
      let list = rows + rowStarts[s]
      let height = rowStarts[s + 1] - rowStarts[s]
      var stop = start
      while stop < count && chosen[stop] < end {
        places[stop] = chosen[stop] - first
        stop += 1
      }
      var place = Int(end - first)
      for i in stop..<count {
        place = Self.find(chosen[i], in: list, from: place, to: height)
        places[i] = Int32(place)
      }
      for j in start..<stop {
        let source = z + valueStarts[s] + Int(places[j]) * height
        let target = inner + j * count
        for i in j..<count { target[i] = source[Int(places[i])] }
      }
      start = stop
    }
  }

  /// The place of a row in a list that has it, at or after `start`: by steps that double, then by bisection.
  private static func find(
    _ row: Int32, in list: UnsafePointer<Int32>, from start: Int, to end: Int
  ) -> Int {
    var (low, step) = (start, 1)
    while low + step < end && list[low + step] <= row {
      low += step
      step *= 2
    }
    var high = min(low + step, end)
    // list[low] ≤ row < list[high]
    while high - low > 1 {
      let middle = (low + high) / 2
      if list[middle] <= row { low = middle } else { high = middle }
    }
    assert(list[low] == row, "a row below a supernode that its ancestor lacks")
    return low
  }
}
