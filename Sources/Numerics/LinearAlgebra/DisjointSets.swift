/// A partition of 0…n − 1 whose parts are joined one by one, each known by its least element (Galler, Fischer 1964; paths are
/// halved as they are followed).
///
/// Cost: nearly constant for each step.
package struct DisjointSets: Sendable {
  private var parents: [Int32]

  /// n parts of one element each.
  package init(count: Int) { parents = (0..<count).map { Int32($0) } }

  /// The least element of the part of i.
  package mutating func root(_ i: Int) -> Int {
    var i = i
    while Int(parents[i]) != i {
      parents[i] = parents[Int(parents[i])]
      i = Int(parents[i])
    }
    return i
  }

  /// Joins the parts of two elements; whether they were two.
  @discardableResult
  package mutating func join(_ i: Int, _ j: Int) -> Bool {
    let (a, b) = (root(i), root(j))
    guard a != b else { return false }
    parents[max(a, b)] = Int32(min(a, b))
    return true
  }
}
