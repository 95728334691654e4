import LinearAlgebra
import NeuralSheaves
import Testing

/// What every operation must keep to, on its own.
struct OperationLawTests {
  static let seeds = NeuralSheafLawTests.graphSeeds

  /// Visits the operations of a random graph, as they are and in other units, with random sources and
  /// patterns read there.
  private func forEachOperation(
    seed: UInt64,
    _ body: (any NetworkOperation, Matrix, ActivationPattern, inout RandomGenerator) -> Void
  ) throws {
    var (network, g) = try randomNetwork(seed: seed)
    for operation in network.edges.flatMap({ Self.inUnits($0.operation, &g) }) {
      let s = g.normalMatrix(rows: operation.sourceDimension, columns: 3)
      var pattern = operation.blankPattern(batch: 3)
      _ = operation.readPattern(at: s, into: &pattern)
      body(operation, s, pattern, &g)
    }
  }

  /// An operation, and the same between stalks of other units.
  static func inUnits(
    _ operation: any NetworkOperation, _ g: inout RandomGenerator
  ) -> [any NetworkOperation] {
    let (source, target) = (g.uniform(0.3, 3), g.uniform(0.3, 3))
    return [operation, Rescaled(operation, sourceScale: source, targetScale: target)]
  }

  private func applied(_ operation: any NetworkOperation, _ s: Matrix) -> Matrix {
    var t = Matrix(rows: operation.targetDimension, columns: s.columns)
    operation.apply(s, into: &t)
    return t.rows(operation.targetRows)
  }

  @Test(arguments: seeds) func patternReproducesTheOperation(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, pattern, g in
      let rows = operation.targetRows
      let exact = applied(operation, s)
      var t = Matrix(rows: operation.targetDimension, columns: 3)
      operation.apply(s, at: pattern, into: &t)
      #expect(relativeError(t.rows(rows), exact) < 1e-14, "seed \(seed), \(operation.summary)")
      // ρ = t − P(s), whatever ρ held before.
      let target = g.normalMatrix(rows: operation.targetDimension, columns: 3)
      var rho = Matrix(rows: operation.targetDimension, columns: 3, repeating: .nan)
      operation.discrepancy(s, target, into: &rho)
      var expected = target.rows(rows)
      expected.add(exact, scale: -1)
      #expect(
        relativeError(rho.rows(rows), expected) < 1e-13, "seed \(seed), \(operation.summary)")
    }
  }

  @Test(arguments: seeds) func transposeIsAdjoint(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, pattern, g in
      let v = g.normalMatrix(rows: operation.sourceDimension, columns: 3)
      let u = g.normalMatrix(rows: operation.targetDimension, columns: 3)
      let rows = operation.targetRows
      var y = Matrix(rows: operation.targetDimension, columns: 3)
      operation.addLinearPart(v, at: pattern, scale: 1, keeping: 0, into: &y)
      var w = Matrix(rows: operation.sourceDimension, columns: 3)
      operation.addTranspose(u, at: pattern, keeping: 0, into: &w)
      let (left, right) = (dot(y.rows(rows), u.rows(rows)), dot(v, w))
      #expect(
        abs(left - right) < 1e-12 * max(1, abs(left)), "seed \(seed), \(operation.summary)")
      // scale and keep
      let before = g.normalMatrix(rows: operation.targetDimension, columns: 3)
      var z = before
      operation.addLinearPart(v, at: pattern, scale: -0.7, keeping: 0.3, into: &z)
      var expected = before.rows(rows)
      expected.add(y.rows(rows), scale: -0.7, keeping: 0.3)
      #expect(relativeError(z.rows(rows), expected) < 1e-13, "seed \(seed), \(operation.summary)")
      let old = g.normalMatrix(rows: operation.sourceDimension, columns: 3)
      var x = old
      operation.addTranspose(u, at: pattern, keeping: -1, into: &x)
      var sum = old
      sum.add(w, keeping: -1)
      #expect(relativeError(x, sum) < 1e-13, "seed \(seed), \(operation.summary)")
    }
  }

  /// The entries of a row of an affine operation are those of Rᵀ times a unit vector.
  @Test(arguments: seeds) func rowsAreTransposedUnits(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, _, _, g in
      guard !operation.isStateDependent else { return }
      for _ in 0..<5 {
        let rows = operation.targetRows
        let row = rows.lowerBound + Int(g.uniform() * Double(rows.count))
        var unit = Matrix(rows: operation.targetDimension, columns: 1)
        unit[row, 0] = 1
        var expected = Matrix(rows: operation.sourceDimension, columns: 1)
        operation.addTranspose(unit, at: .affine, keeping: 0, into: &expected)
        var found = Matrix(rows: operation.sourceDimension, columns: 1)
        var count = 0
        operation.forEachEntry(ofRow: row) { i, value in
          found[i, 0] += value
          count += 1
        }
        #expect(
          relativeError(found, expected) < 1e-14, "seed \(seed), \(operation.summary), row \(row)")
        var added = Matrix(rows: operation.sourceDimension, columns: 2)
        operation.addRow(row, scale: 2, toColumn: 1, of: &added)
        var twice = expected
        twice.scale(by: 2)
        #expect(relativeError(added.columns(1..<2), twice) < 1e-14, "seed \(seed)")
        #expect(count <= operation.entriesPerRow, "seed \(seed), \(operation.summary)")
      }
    }
  }

  @Test(arguments: seeds) func branchesAndBoundariesDescribeThePattern(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, pattern, _ in
      guard operation.isStateDependent else { return }
      let t = applied(operation, s)
      for row in 0..<operation.targetDimension {
        let b = pattern[row, 0]
        #expect(b < operation.branchCount(ofRow: row))
        let here = operation.branch(b, ofRow: row)
        #expect(
          abs(here.slope * s[here.source, 0] + here.offset - t[row, 0]) < 1e-14
            * max(1, abs(t[row, 0])),
          "seed \(seed), \(operation.summary)")
        operation.forEachBoundary(ofRow: row, branch: b) { boundary in
          guard boundary.other != boundary.source else { return }  // a window that repeats a place
          func margin(_ x: Matrix) -> Double {
            let other = boundary.other.map { x[$0, 0] } ?? 0
            return boundary.sign * (x[boundary.source, 0] - other - boundary.threshold)
          }
          #expect(margin(s) >= 0, "seed \(seed), \(operation.summary)")
          // Walk the source coordinate just beyond: the branch changes and both functions meet.
          var beyond = s
          let step = margin(s) * (1 + 1e-9) + 1e-9
          beyond[boundary.source, 0] -= boundary.sign * step
          var moved = operation.blankPattern(batch: 3)
          _ = operation.readPattern(at: beyond, into: &moved)
          #expect(moved[row, 0] != b, "seed \(seed), \(operation.summary)")
          let there = operation.branch(boundary.neighbour, ofRow: row)
          let jump =
            here.slope * beyond[here.source, 0] + here.offset
            - (there.slope * beyond[there.source, 0] + there.offset)
          #expect(abs(jump) < 1e-7, "seed \(seed), \(operation.summary)")
        }
      }
    }
  }

  @Test(arguments: seeds) func parameterGradientsAreFiniteDifferences(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, _, g in
      var operation = operation
      guard !operation.parameterNames.isEmpty else { return }
      #expect(operation.parameters.count == operation.parameterNames.count)
      let rows = operation.targetRows
      let v = g.normalMatrix(rows: operation.targetDimension, columns: 3)
      var gradients = operation.parameters
      operation.addParameterGradients(v, source: s, scale: 2, keeping: 0, into: &gradients)
      let start = operation
      for i in gradients.indices {
        let (p, q) = (
          g.integer(0...gradients[i].rows - 1), g.integer(0...gradients[i].columns - 1)
        )
        let h = 1e-5
        func value(_ change: Double) -> Double {
          operation = start
          operation.updateParameters { if $0 == i { $1[p, q] += change } }
          return dot(v.rows(rows), applied(operation, s))
        }
        let slope = (value(h) - value(-h)) / (2 * h)
        #expect(
          abs(gradients[i][p, q] - 2 * slope) < 1e-7 * max(1, abs(slope)),
          "seed \(seed), \(operation.summary), \(operation.parameterNames[i])")
      }
      // The move along a direction is the gradient added, and setting parameters is seen.
      operation = start
      operation.moveParameters(along: v, source: s, scale: 0.1, threads: 1)
      for i in gradients.indices {
        var expected = start.parameters[i]
        expected.add(gradients[i], scale: 0.05)
        #expect(relativeError(operation.parameters[i], expected) < 1e-13, "seed \(seed)")
      }
      var copy = start
      copy.parameters = operation.parameters
      #expect(applied(copy, s) == applied(operation, s), "seed \(seed), \(operation.summary)")
    }
  }

  /// The step of the heat equation in one pass agrees with its definition.
  @Test(arguments: seeds) func relaxationIsItsDefinition(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, pattern, g in
      guard operation.isStateDependent else { return }
      let t = g.normalMatrix(rows: operation.targetDimension, columns: 3)
      let incoming = g.normalMatrix(rows: operation.sourceDimension, columns: 3)
      var (source, own, after) = (s, incoming, pattern)
      var rho = Matrix(rows: t.rows, columns: 3)
      let report = operation.relax(
        &source, target: t, prediction: nil, incoming: &own, by: 0.1, pattern: &after, into: &rho)
      var expectedRho = Matrix(rows: t.rows, columns: 3)
      operation.discrepancy(s, t, into: &expectedRho)
      var force = incoming
      operation.addTranspose(expectedRho, at: pattern, keeping: -1, into: &force)
      var expected = s
      expected.add(force, scale: 0.1)
      #expect(relativeError(rho, expectedRho) < 1e-13, "seed \(seed), \(operation.summary)")
      #expect(relativeError(source, expected) < 1e-13, "seed \(seed), \(operation.summary)")
      #expect(abs(report.change - 0.1 * force.maximumMagnitude) < 1e-13)
      var moved = pattern
      let switched = operation.readPattern(at: expected, into: &moved)
      #expect((report.switched > 0) == (switched > 0), "seed \(seed), \(operation.summary)")
    }
  }
}
