/// A finite number that is not 0 as it is: significand · 2^exponent, the significand odd.
struct Dyadic {
  let significand: Int
  let exponent: Int

  /// nil for 0 and for what is not finite.
  init?(_ value: Double) {
    guard value.isFinite, value != 0 else { return nil }
    // The 53 digits as a whole number; for a subnormal number some of them are 0.
    let shift = 52
    let whole = Int(value.significand * 0x1p52)
    let zeros = whole.trailingZeroBitCount
    significand = (value < 0 ? -1 : 1) * (whole >> zeros)
    exponent = Int(value.exponent) - shift + zeros
  }
}
