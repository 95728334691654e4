/// Ties at the maximum of a window.
///
/// A row with target t and maximum M pulls down with w = γ(M − t) where that is positive (a convex kink), and its
/// pull is shared by the coordinates tied at the top: the velocity of least norm has shares λ_i ≥ 0, Σ λ_i = w,
/// F_i − λ_i = v for those that stay, F_i ≤ v for those that fall behind, F the forces without the row's. Where
/// w ≤ 0 the top is pulled up and leaves the others. A held coordinate does not move whatever its share.
extension SampleFlow {
  /// `other` has caught up with the maximum of row r.
  mutating func meetTie(_ r: Int, _ other: Int, branch: Int) throws(FlowError) {
    let target = pieces.flat.rows[r].target
    let top = self.top(ofRow: r)
    let tied = (face.ties[r] ?? [top]) + [other]
    let w = pieces.gamma[target] * (x[top] - x[target])
    if w <= rounding && !(w >= -rounding && turn(other)) {
      // Nothing holds them together: the one that has caught up leads. Where w = 0 and they overtake each other
      // in turns, the pull that is about to arise holds them.
      face.ties[r] = nil
      lead(r, branch, other)
      return
    }
    if tied.contains(where: { face.rests[$0] != nil }) { throw overlap(other) }
    func force(_ c: Int) -> Double {
      face.force(on: c, pieces, x, sample: sample) + (c == top ? w : 0)
    }
    var staying: [Int] = []
    let free = tied.filter { pieces.place[$0] >= 0 }.map { (c: $0, force: force($0)) }
    let held = tied.filter { pieces.place[$0] < 0 }
    let pushes = free.filter { $0.force > 0 }
    if !held.isEmpty && pushes.reduce(0, { $0 + $1.force }) <= w {
      staying = [held[0]] + pushes.map(\.c)
    } else {
      // From the strongest down, as long as a member is faster than all before it together with the pull.
      var sum = -w
      for (c, f) in free.sorted(by: { $0.force > $1.force }) {
        if !staying.isEmpty && f <= sum / Double(staying.count) { break }
        sum += f
        staying.append(c)
      }
    }
    if w <= rounding || turn(other) { staying = tied }
    try tie(r, staying, meeting: other)
  }

  /// Makes coordinates the tied top of a row.
  private mutating func tie(_ r: Int, _ members: [Int], meeting other: Int) throws(FlowError) {
    let top = self.top(ofRow: r)
    let leader = members.contains(top) ? top : members[0]
    if members.count == 1 {
      face.ties[r] = nil
      if leader != top { lead(r, pieces.branch(ofRow: r, reading: leader), leader) }
      return
    }
    for c in members {
      for (q, group) in face.ties where q != r && group.contains(c) { throw overlap(c) }
      for q in pieces.readers(c) where q != r {
        // The members are a top of another row as well.
        let source = self.top(ofRow: q)
        let others = members.contains { $0 != source && pieces.readers($0).contains(q) }
        if others && members.contains(source) { throw overlap(c) }
      }
    }
    let value = members.first { pieces.place[$0] < 0 }.map { x[$0] } ?? x[leader]
    for c in members { set(c, to: value) }
    face.branches[r] = pieces.branch(ofRow: r, reading: leader)
    face.ties[r] = members
    note(.sliding, members.contains(other) ? other : leader)
  }

  /// The coordinate that a row reads.
  private func top(ofRow r: Int) -> Int { pieces.flat.function(r, face.branches[r]).source }

  private mutating func lead(_ r: Int, _ branch: Int, _ c: Int) {
    face.branches[r] = branch
    note(.crossing, c)
  }

  /// The share of a tied coordinate has come to 0: it falls behind, or a held one is left behind.
  mutating func release(_ c: Int, ofTie r: Int) {
    guard var members = face.ties[r] else { return }
    members.removeAll { $0 == c }
    if c == top(ofRow: r) { face.branches[r] = pieces.branch(ofRow: r, reading: members[0]) }
    face.ties[r] = members.count > 1 ? members : nil
    note(.release, c)
  }
}
