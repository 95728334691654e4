import LinearAlgebra
import NeuralSheaves

/// The operation and its linear parts.
extension OperationCheck {
  mutating func patternReproducesTheOperation() {
    let law = OperationLaw.patternReproducesTheOperation
    let exact = applied(operation, source)
    expect(
      exact.rows == rows.count && exact.firstNonFinite == nil, law,
      "P(s) has a coordinate that is not finite")
    var t = target()
    operation.apply(source, at: pattern, into: &t)
    expectEqual(t.rows(rows), exact, 1e-14, law, "R s + c at the pattern read")
    t.fill(.nan)
    operation.apply(source, into: &t)
    expect(t.rows(rows) == exact, law, "P(s) depends on what the target held before")
    // ρ = t − P(s), whatever ρ held before.
    let target = target()
    var rho = Matrix(rows: operation.targetDimension, columns: batch, repeating: .nan)
    operation.discrepancy(source, target, into: &rho)
    var expected = target.rows(rows)
    expected.add(exact, scale: -1)
    expectEqual(rho.rows(rows), expected, 1e-13, law, "the discrepancy")
  }

  mutating func transposeIsAdjoint() {
    let law = OperationLaw.transposeIsAdjoint
    let v = g.normalMatrix(rows: operation.sourceDimension, columns: batch)
    let u = target()
    // Where nothing is kept, what was there before is not read.
    var y = Matrix(rows: operation.targetDimension, columns: batch, repeating: .nan)
    operation.addLinearPart(v, at: pattern, scale: 1, keeping: 0, into: &y)
    var w = Matrix(rows: operation.sourceDimension, columns: batch, repeating: .nan)
    operation.addTranspose(u, at: pattern, keeping: 0, into: &w)
    let (left, right) = (dot(y.rows(rows), u.rows(rows)), dot(v, w))
    expect(
      abs(left - right) < 1e-12 * max(1, abs(left)), law, "⟨u, R v⟩ = \(left), ⟨Rᵀ u, v⟩ = \(right)"
    )
    // Scale and keep.
    let before = target()
    var z = before
    operation.addLinearPart(v, at: pattern, scale: -0.7, keeping: 0.3, into: &z)
    var expected = before.rows(rows)
    expected.add(y.rows(rows), scale: -0.7, keeping: 0.3)
    expectEqual(
      z.rows(rows), expected, 1e-13,
      size: 0.7 * y.rows(rows).maximumMagnitude + 0.3 * before.maximumMagnitude, law,
      "−0.7 R v + 0.3 y")
    let old = g.normalMatrix(rows: operation.sourceDimension, columns: batch)
    var x = old
    operation.addTranspose(u, at: pattern, keeping: -1, into: &x)
    var sum = old
    sum.add(w, keeping: -1)
    expectEqual(
      x, sum, 1e-13, size: w.maximumMagnitude + old.maximumMagnitude, law, "Rᵀ v − u")
  }

  mutating func rowsAreTransposedUnits() {
    let operation = operation
    let law = OperationLaw.rowsAreTransposedUnits
    let one = pattern.sample(0)
    // All of them, or the first, the last and some between.
    let some =
      rows.count <= 50
      ? Array(rows)
      : [rows.lowerBound, rows.upperBound - 1]
        + (0..<48).map { _ in
          rows.lowerBound + index(below: rows.count)
        }
    for row in some {
      var unit = Matrix(rows: operation.targetDimension, columns: 1)
      unit[row, 0] = 1
      var expected = Matrix(rows: operation.sourceDimension, columns: 1)
      operation.addTranspose(unit, at: one, keeping: 0, into: &expected)
      var found = Matrix(rows: operation.sourceDimension, columns: 1)
      var count = 0
      let branch = operation.isStateDependent ? one[row, 0] : 0
      operation.forEachEntry(ofRow: row, branch: branch) { i, value in
        found[i, 0] += value
        count += 1
      }
      expectEqual(found, expected, 1e-14, law, "row \(row)")
      expect(
        count <= operation.entriesPerRow, law,
        "row \(row) has \(count) entries, expected at most \(operation.entriesPerRow)")
      guard !operation.isStateDependent else { continue }
      var added = Matrix(rows: operation.sourceDimension, columns: 2)
      operation.addRow(row, scale: 2, toColumn: 1, of: &added)
      expected.scale(by: 2)
      expectEqual(added.columns(1..<2), expected, 1e-14, law, "twice row \(row), added")
    }
  }

  mutating func branchesAndBoundariesDescribeThePattern() {
    let operation = operation
    let law = OperationLaw.branchesAndBoundariesDescribeThePattern
    guard operation.isStateDependent else { return }
    let t = applied(operation, source)
    for row in 0..<operation.targetDimension {
      let b = pattern[row, 0]
      expect(
        b < operation.branchCount(ofRow: row), law,
        "branch \(b) of coordinate \(row), which has \(operation.branchCount(ofRow: row))")
      let here = operation.branch(b, ofRow: row)
      let value = here.slope * source[here.source, 0] + here.offset
      expect(
        abs(value - t[row, 0]) < 1e-14 * max(1, abs(t[row, 0]), abs(here.offset)), law,
        "coordinate \(row) is \(t[row, 0]), its branch \(b) gives \(value)")
      var boundaries: [BranchBoundary] = []
      operation.forEachBoundary(ofRow: row, branch: b) { boundaries.append($0) }
      // A window that repeats a place does not end there.
      for boundary in boundaries where boundary.other != boundary.source {
        check(boundary, ofRow: row, branch: b, here)
      }
    }
  }

  private mutating func check(
    _ boundary: BranchBoundary, ofRow row: Int, branch b: Int, _ here: BranchFunction
  ) {
    let law = OperationLaw.branchesAndBoundariesDescribeThePattern
    let other = boundary.other.map { source[$0, 0] } ?? 0
    let margin =
      boundary.sign * (source[boundary.source, 0] - other - boundary.threshold)
    expect(margin >= 0, law, "coordinate \(row) is beyond \(boundary) on branch \(b)")
    // Walk the source coordinate just beyond: the branch changes and both functions meet.
    var beyond = source
    beyond[boundary.source, 0] -= boundary.sign * (margin * (1 + 1e-9) + 1e-9)
    var moved = operation.blankPattern(batch: batch)
    _ = operation.readPattern(at: beyond, into: &moved)
    expect(moved[row, 0] != b, law, "coordinate \(row) stays on branch \(b) beyond \(boundary)")
    let there = operation.branch(boundary.neighbour, ofRow: row)
    let jump =
      here.slope * beyond[here.source, 0] + here.offset
      - (there.slope * beyond[there.source, 0] + there.offset)
    expect(abs(jump) < 1e-7, law, "coordinate \(row) jumps by \(jump) at \(boundary)")
  }

  mutating func relaxationIsItsDefinition() {
    let law = OperationLaw.relaxationIsItsDefinition
    // Into a junction an operation fills a part of ρ, and has no step of its own.
    guard rows.count == operation.targetDimension else { return }
    let t = target()
    let incoming = g.normalMatrix(rows: operation.sourceDimension, columns: batch)
    var (moved, own, after) = (source, incoming, pattern)
    var rho = Matrix(rows: t.rows, columns: batch)
    let step = operation.relax(
      &moved, target: t, prediction: nil, incoming: &own, by: 0.1, pattern: &after, into: &rho)
    var expectedRho = Matrix(rows: t.rows, columns: batch)
    operation.discrepancy(source, t, into: &expectedRho)
    var force = incoming
    operation.addTranspose(expectedRho, at: pattern, keeping: -1, into: &force)
    var expected = source
    expected.add(force, scale: 0.1)
    expectEqual(rho, expectedRho, 1e-13, law, "ρ")
    expectEqual(moved, expected, 1e-13, law, "s + h (Rᵀρ − ρ_s)")
    let change = 0.1 * force.maximumMagnitude
    expect(
      abs(step.change - change) < 1e-13 * max(1, change), law,
      "the largest change is \(change), told \(step.change)")
    var there = pattern
    let switched = operation.readPattern(at: expected, into: &there)
    expect(
      (step.switched > 0) == (switched > 0), law,
      "\(switched) coordinates switch, told \(step.switched)")
  }
}
