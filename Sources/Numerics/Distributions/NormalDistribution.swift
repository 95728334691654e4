/// The normal distribution.
public struct NormalDistribution: Sendable {}
