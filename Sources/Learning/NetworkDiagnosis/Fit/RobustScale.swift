import SheafDiagnostics

/// (x − median)/(1.4826 · median |x − median|); NaN where that is 0.
func robustDeviations(_ values: [Double]) -> [Double] {
  let middle = Quartiles(values).median
  let spread = 1.4826 * Quartiles(values.map { abs($0 - middle) }).median
  return values.map { spread > 0 ? ($0 - middle) / spread : .nan }
}
