import LinearAlgebra

/// A straight line in a, and in what is linear in it: column j of x + τ dx and of the predictions m + τ dm.
struct Line {
  let x: [Matrix]
  let m: [Matrix]
  let dx: [Matrix]
  let dm: [Matrix]
}
