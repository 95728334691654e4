#if SuiteSparse
  import CSuiteSparse
  import Foundation

  extension CholmodFactor {
    /// Whether CHOLMOD chose dense blocks, as it does where the factorisation takes many operations per entry of L.
    var isSupernodal: Bool { factor.pointee.is_super != 0 }

    /// 2 Σ log Lᵢᵢ of a numeric factor L Lᵀ.
    var logDeterminant: Double {
      let l = factor.pointee
      precondition(l.is_ll != 0 && l.xtype == CHOLMOD_REAL)
      let entries = l.x.assumingMemoryBound(to: Double.self)
      var sum = 0.0
      if !isSupernodal {
        let starts = l.p.assumingMemoryBound(to: Int.self)
        for j in 0..<Int(l.n) { sum += log(entries[starts[j]]) }
      } else {
        let columns = l.super.assumingMemoryBound(to: Int.self)
        let rows = l.pi.assumingMemoryBound(to: Int.self)
        let blocks = l.px.assumingMemoryBound(to: Int.self)
        for s in 0..<Int(l.nsuper) {
          for j in 0..<columns[s + 1] - columns[s] {
            sum += log(entries[blocks[s] + j * (rows[s + 1] - rows[s] + 1)])
          }
        }
      }
      return 2 * sum
    }

    /// A copy of a numeric factor L Lᵀ by supernodes; those of a simplicial one are found by their counts.
    var supernodalBlocks: SupernodalBlocks {
      let l = factor.pointee
      precondition(l.is_ll != 0 && l.xtype == CHOLMOD_REAL)
      var blocks = isSupernodal ? Self.supernodal(l) : Self.simplicial(l)
      blocks.permutation = permutation.map { Int32($0) }
      return blocks
    }

    /// The order of the unknowns, symbolic or numeric.
    var permutation: [Int] {
      let l = factor.pointee
      return Array(
        UnsafeBufferPointer(start: l.Perm.assumingMemoryBound(to: Int.self), count: Int(l.n)))
    }

    private static func supernodal(_ l: cholmod_factor) -> SupernodalBlocks {
      func integers(_ start: UnsafeMutableRawPointer, _ count: Int) -> UnsafeBufferPointer<Int> {
        .init(start: start.assumingMemoryBound(to: Int.self), count: count)
      }
      var blocks = SupernodalBlocks()
      let count = Int(l.nsuper)
      blocks.columnStarts = Array(integers(l.super, count + 1))
      blocks.rowStarts = Array(integers(l.pi, count + 1))
      blocks.valueStarts = Array(integers(l.px, count + 1))
      blocks.rows = integers(l.s, blocks.rowStarts[count]).map { Int32($0) }
      blocks.values = Array(
        UnsafeBufferPointer(
          start: l.x.assumingMemoryBound(to: Double.self), count: blocks.valueStarts[count]))
      return blocks
    }

    /// Joins a column to the one before if that has its row and one entry more: what a column has
    /// below that row is part of what the column of that row has, so that it is the same.
    private static func simplicial(_ l: cholmod_factor) -> SupernodalBlocks {
      let n = Int(l.n)
      let starts = l.p.assumingMemoryBound(to: Int.self)
      let counts = l.nz.assumingMemoryBound(to: Int.self)
      let rows = l.i.assumingMemoryBound(to: Int.self)
      let entries = l.x.assumingMemoryBound(to: Double.self)
      var blocks = SupernodalBlocks()
      var first = 0
      while first < n {
        var end = first + 1
        while end < n && counts[end - 1] == counts[end] + 1 && rows[starts[end - 1] + 1] == end {
          end += 1
        }
        for k in starts[first]..<starts[first] + counts[first] {
          blocks.rows.append(Int32(rows[k]))
        }
        for j in first..<end {
          blocks.values += repeatElement(0, count: j - first)
          blocks.values += UnsafeBufferPointer(start: entries + starts[j], count: counts[j])
        }
        blocks.columnStarts.append(end)
        blocks.rowStarts.append(blocks.rows.count)
        blocks.valueStarts.append(blocks.values.count)
        first = end
      }
      return blocks
    }
  }
#endif
