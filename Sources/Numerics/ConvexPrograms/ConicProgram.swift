import LinearAlgebra

/// A convex quadratic program over a product of cones.
public struct ConicProgram: Sendable {}
