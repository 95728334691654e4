/// The median and 1.4826 times the median absolute deviation from it.
func medianAndSpread(_ values: [Double]) -> (median: Double, spread: Double) {
  func median(_ list: [Double]) -> Double {
    let sorted = list.sorted()
    let n = sorted.count
    return n == 0 ? .nan : n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
  }
  let middle = median(values)
  return (middle, 1.4826 * median(values.map { abs($0 - middle) }))
}

/// (x − median)/(1.4826 · median |x − median|).
func robustDeviations(_ values: [Double]) -> [Double] {
  let (middle, spread) = medianAndSpread(values)
  return values.map { spread > 0 ? ($0 - middle) / spread : .nan }
}
