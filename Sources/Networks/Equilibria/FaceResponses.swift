import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// KΓ^{−1/2}, the rows of Eδ_Ω⁻¹ of some samples in orthonormal coordinates of the edges' stalks (and Q, their
/// derivatives in a freed input), one column each.
///
/// A row starts as one or two coordinates and goes up the network by reverse substitution. As long as
/// it has few entries they are followed one by one, through the branches they are on; a kink's row
/// often ends there, where it is inactive. At each vertex the columns that have many entries stand side
/// by side, sample by sample, and go on together as products of matrices.
struct FaceResponses {
  /// The part of K at one vertex.
  private struct Part {
    /// The dense columns, by sample and then by row.
    var dense = Matrix(rows: 0, columns: 0)
    /// Their numbers, ascending.
    var columns: [Int] = []
    /// Where those of each sample start.
    var starts: [Int] = []
    /// The entries of the other columns, by column.
    var sparse: [Entry] = []
    /// Where those of each sample start.
    var sparseStarts: [Int] = []
  }

  private struct Entry {
    let column: Int
    let row: Int
    var value: Double
  }

  private let parts: [Part]
  /// The first column of each sample, and the number of all.
  let starts: [Int]

  init(_ set: ActiveSet, _ problem: FaceProblem, _ halt: Halt) throws(Halted) {
    let network = set.sheaf.network
    var starts = [0]
    for list in problem.rows { starts.append(starts.last! + list.count) }
    let count = starts.last!
    let owners = problem.rows.indices.flatMap {
      [Int](repeating: $0, count: problem.rows[$0].count)
    }
    let vertices = network.vertices.indices
    var parts = vertices.map { _ in Part() }
    var entries = vertices.map { _ in [Entry]() }
    // Rows of affine operations that entries below ask for: (edge, row of the target, value, column).
    typealias Request = (edge: Int, row: Int, value: Double, column: Int)
    var requests = vertices.map { _ in [Request]() }
    for (j, list) in problem.rows.enumerated() {
      for (q, row) in list.enumerated() {
        let column = starts[j] + q
        for t in row.terms {
          entries[t.vertex].append(Entry(column: column, row: t.row, value: t.weight))
        }
      }
    }
    let isFree = set.freed != nil
    for v in vertices.reversed() where v > 0 || isFree {
      try halt.check()
      let dimension = network.vertices[v].dimension
      var isDense = [Bool](repeating: false, count: count)
      for e in network.outgoing[v] {
        for c in parts[network.edges[e].target].columns { isDense[c] = true }
      }
      for r in requests[v] { isDense[r.column] = true }
      var entryCounts = [Int](repeating: 0, count: count)
      for entry in entries[v] {
        entryCounts[entry.column] += 1
        if entryCounts[entry.column] > max(2, dimension / 8) { isDense[entry.column] = true }
      }
      var part = Part()
      part.columns = isDense.indices.filter { isDense[$0] }
      part.starts = Self.starts(part.columns, starts)
      var place = [Int](repeating: -1, count: count)
      for (k, c) in part.columns.enumerated() { place[c] = k }
      part.dense = Matrix(rows: dimension, columns: part.columns.count)
      for e in network.outgoing[v] {
        let edge = network.edges[e]
        let below = parts[edge.target]
        guard !below.columns.isEmpty else { continue }
        let pattern = set.patterns[e].samples(below.columns.map { owners[$0] })
        if below.columns.count == part.columns.count {
          edge.operation.addTranspose(below.dense, at: pattern, keeping: 1, into: &part.dense)
        } else {
          var share = Matrix(rows: dimension, columns: below.columns.count)
          edge.operation.addTranspose(below.dense, at: pattern, keeping: 0, into: &share)
          part.dense.addColumns(share, at: below.columns.map { place[$0] })
        }
      }
      for r in requests[v] {
        network.edges[r.edge].operation.addRow(
          r.row, scale: r.value, toColumn: place[r.column], of: &part.dense)
      }
      for entry in entries[v] {
        if place[entry.column] >= 0 {
          part.dense[entry.row, place[entry.column]] += entry.value
        } else {
          part.sparse.append(entry)
        }
      }
      part.sparse.sort { $0.column < $1.column }
      // What is sparse goes on up, entry by entry or as a row of an affine operation.
      for entry in part.sparse {
        for e in network.incoming[v] {
          let (s, operation) = (network.edges[e].source, network.edges[e].operation)
          guard (s > 0 || isFree) && operation.targetRows.contains(entry.row) else { continue }
          if operation.entriesPerRow <= 2 {
            let branch =
              operation.isStateDependent ? set.patterns[e][entry.row, owners[entry.column]] : 0
            operation.forEachEntry(ofRow: entry.row, branch: branch) { i, value in
              guard value != 0 else { return }
              entries[s].append(
                Entry(column: entry.column, row: i, value: entry.value * value))
            }
          } else {
            requests[s].append((e, entry.row, entry.value, entry.column))
          }
        }
      }
      part.sparseStarts = Self.starts(part.sparse.map(\.column), starts)
      parts[v] = part
    }
    for v in vertices {
      guard let gamma = set.stiffness[v] else { continue }
      let inverseRoots = gamma.map { 1 / $0.squareRoot() }
      parts[v].dense.scaleRows(by: inverseRoots)
      for k in parts[v].sparse.indices {
        parts[v].sparse[k].value *= inverseRoots[parts[v].sparse[k].row]
      }
    }
    (self.parts, self.starts) = (parts, starts)
  }

  /// Where the columns of each sample start in an ascending list of columns.
  private static func starts(_ columns: [Int], _ samples: [Int]) -> [Int] {
    var result: [Int] = []
    var k = 0
    for first in samples {
      while k < columns.count && columns[k] < first { k += 1 }
      result.append(k)
    }
    return result
  }

  /// KΓ⁻¹Kᵀ of sample j over all vertices but the input, its lower triangle.
  func gram(_ j: Int) -> Matrix {
    let first = starts[j]
    let count = starts[j + 1] - first
    var s = Matrix(rows: count, columns: count)
    for (v, part) in parts.enumerated() where v > 0 && !part.starts.isEmpty {
      let columns = part.starts[j]..<part.starts[j + 1]
      if columns.count == count {
        s.addGram(ofColumns: columns, of: part.dense)
      } else if !columns.isEmpty {
        var block = Matrix(rows: columns.count, columns: columns.count)
        block.addGram(ofColumns: columns, of: part.dense)
        for b in 0..<columns.count {
          let q = part.columns[columns.lowerBound + b] - first
          for a in b..<columns.count {
            s[part.columns[columns.lowerBound + a] - first, q] += block[a, b]
          }
        }
      }
      let entries = part.sparse[part.sparseStarts[j]..<part.sparseStarts[j + 1]]
      for entry in entries {
        let p = entry.column - first
        for k in columns {
          let q = part.columns[k] - first
          s[max(p, q), min(p, q)] += entry.value * part.dense[entry.row, k]
        }
      }
      for x in entries {
        for y in entries where x.row == y.row && x.column >= y.column {
          s[x.column - first, y.column - first] += x.value * y.value
        }
      }
    }
    return s
  }

  /// right += KΓ^{−1/2}u_j, over all vertices but the input.
  func addProduct(_ u: [Matrix], sample j: Int, to right: inout [Double]) {
    let first = starts[j]
    for (v, part) in parts.enumerated() where v > 0 && !part.starts.isEmpty {
      let columns = part.starts[j]..<part.starts[j + 1]
      if !columns.isEmpty {
        var products = [Double](repeating: 0, count: columns.count)
        part.dense.addTransposedProduct(columns: columns, withColumn: j, of: u[v], to: &products)
        for (k, c) in columns.enumerated() { right[part.columns[c] - first] += products[k] }
      }
      for entry in part.sparse[part.sparseStarts[j]..<part.sparseStarts[j + 1]] {
        right[entry.column - first] += entry.value * u[v][entry.row, j]
      }
    }
  }

  /// u_j += Γ^{−1/2}Kᵀλ, over all vertices but the input.
  func addTransposedProduct(_ lambda: [Double], sample j: Int, to u: inout [Matrix]) {
    let first = starts[j]
    for (v, part) in parts.enumerated() where v > 0 && !part.starts.isEmpty {
      let columns = part.starts[j]..<part.starts[j + 1]
      if !columns.isEmpty {
        u[v].addProduct(
          ofColumns: columns, of: part.dense,
          with: columns.map { lambda[part.columns[$0] - first] },
          toColumn: j)
      }
      for entry in part.sparse[part.sparseStarts[j]..<part.sparseStarts[j + 1]] {
        u[v][entry.row, j] += entry.value * lambda[entry.column - first]
      }
    }
  }

  /// Qᵀ of sample j, (n₀, rows).
  func inputPart(_ j: Int) -> Matrix {
    let (part, first) = (parts[0], starts[j])
    var q = Matrix(rows: part.dense.rows, columns: starts[j + 1] - first)
    for k in part.starts[j]..<part.starts[j + 1] {
      q.setColumns(from: part.columns[k] - first, to: part.dense.columns(k..<k + 1))
    }
    for entry in part.sparse[part.sparseStarts[j]..<part.sparseStarts[j + 1]] {
      q[entry.row, entry.column - first] += entry.value
    }
    return q
  }
}
