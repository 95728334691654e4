extension LayeredLayout {
  /// Lengths, in the unit of the drawing.
  struct Spacing: Sendable {
    /// The height of every box.
    var boxHeight = 34.0
    /// Between layers; where lines run to the side by d, d/8 more, within limits.
    var layerGap = 30.0
    var widestLayerGap = 180.0
    /// Between two boxes of a layer, two lines, and a box and a line.
    var boxGap = 24.0
    var bendGap = 10.0
    var mixedGap = 16.0
    /// Between the ends of lines at a box, and from them to its corners.
    var portGap = 9.0
    var portInset = 9.0
    /// No box grows beyond this for the sake of its ports.
    var widestPorts = 400.0
    /// Between parallel lines from one column to the next, and on both sides of these lines.
    var trackGap = 8.0
    var trackMargin = 16.0
    var cornerRadius = 6.0
    /// The vertical end of every line, for its arrowhead.
    var arrowLength = 7.0
    /// The height of a label, and its distance from a line.
    var labelHeight = 11.0
    var labelGap = 5.0
    /// The layers of a column, roughly.
    var columnLayers = 30
  }
}
