import LinearAlgebra

/// Which samples are held out from learning, one set after the other.
public enum SampleSplit: Sendable, Equatable {
  /// K parts of nearly one size of a random order; each sample is held out once.
  case folds(Int, seed: UInt64 = 0)
  /// Given sets.
  case given([[Int]])

  /// The sets that are held out, of n samples.
  ///
  /// - Throws: `split` for fewer than 2 folds or more than samples; for a set that is empty or everything, or has an index
  ///   beyond the samples or twice.
  public func heldOut(of n: Int) throws(LearningError) -> [[Int]] {
    switch self {
    case .folds(let count, let seed):
      guard count >= 2 && count <= n else {
        throw .split(
          found: "\(count) folds of \(n) samples",
          expected: "at least 2 folds, and no more than samples")
      }
      var generator = RandomGenerator(seed: seed)
      let order = generator.permutation(n)
      return (0..<count).map { fold in
        order[fold * n / count..<(fold + 1) * n / count].sorted()
      }
    case .given(let sets):
      guard !sets.isEmpty else { throw .split(found: "no set", expected: "at least one") }
      for set in sets {
        guard Set(set).count == set.count, set.allSatisfy((0..<n).contains), !set.isEmpty,
          set.count < n
        else {
          throw .split(
            found: "a set of \(set.count) of \(n) samples, \(set.prefix(5))…",
            expected: "different samples from 0 to \(n - 1), at least one and not all")
        }
      }
      return sets
    }
  }
}
