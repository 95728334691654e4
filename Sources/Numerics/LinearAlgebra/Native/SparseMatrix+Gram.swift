extension SparseMatrix {
  /// The lower triangle of B Bᵀ, zeros that came about by cancellation included.
  ///
  /// Column j of the triangle gathers the columns of B that reach row j: each column of B waits in the list of the row
  /// that it reaches next.
  ///
  /// - Complexity: Σ over the columns of B of the square of their number of entries.
  public var outerGram: SparseMatrix {
    let n = rows
    var starts = [Int](repeating: 0, count: n + 1)
    var (indices, sums) = ([Int32](), [Double]())
    indices.reserveCapacity(n + values.count)
    sums.reserveCapacity(n + values.count)
    var head = [Int32](repeating: -1, count: n)
    var next = [Int32](repeating: -1, count: columns)
    var place = columnStarts
    for e in 0..<columns where columnStarts[e] < columnStarts[e + 1] {
      let row = Int(rowIndices[columnStarts[e]])
      next[e] = head[row]
      head[row] = Int32(e)
    }
    var accumulator = [Double](repeating: 0, count: n)
    var isThere = [Bool](repeating: false, count: n)
    var pattern: [Int32] = []
    accumulator.withUnsafeMutableBufferPointer { accumulator in
      isThere.withUnsafeMutableBufferPointer { isThere in
        place.withUnsafeMutableBufferPointer { place in
          columnStarts.withUnsafeBufferPointer { columnStarts in
            rowIndices.withUnsafeBufferPointer { rowIndices in
              values.withUnsafeBufferPointer { values in
                for j in 0..<n {
                  pattern.removeAll(keepingCapacity: true)
                  var e = Int(head[j])
                  while e >= 0 {
                    let following = Int(next[e])
                    let (start, end) = (place[e], columnStarts[e + 1])
                    let factor = values[start]
                    var k = start
                    while k < end {
                      let i = Int(rowIndices[k])
                      if !isThere[i] {
                        isThere[i] = true
                        pattern.append(Int32(truncatingIfNeeded: i))
                      }
                      accumulator[i] += factor * values[k]
                      k += 1
                    }
                    place[e] = start + 1
                    if start + 1 < end {
                      let row = Int(rowIndices[start + 1])
                      next[e] = head[row]
                      head[row] = Int32(truncatingIfNeeded: e)
                    }
                    e = following
                  }
                  Self.sort(&pattern)
                  for i in pattern {
                    indices.append(i)
                    sums.append(accumulator[Int(i)])
                    accumulator[Int(i)] = 0
                    isThere[Int(i)] = false
                  }
                  starts[j + 1] = indices.count
                }
              }
            }
          }
        }
      }
    }
    return SparseMatrix(rows: n, columnStarts: starts, rowIndices: indices, values: sums)
  }

  /// Short lists by insertion, long ones as usual.
  private static func sort(_ list: inout [Int32]) {
    guard list.count <= 24 else { return list.sort() }
    list.withUnsafeMutableBufferPointer { list in
      for i in list.indices.dropFirst() {
        let x = list[i]
        var k = i
        while k > 0 && list[k - 1] > x {
          list[k] = list[k - 1]
          k -= 1
        }
        list[k] = x
      }
    }
  }
}
