/// What a drawing can be written as.
public enum DrawingFormat: String, Sendable, CaseIterable {
  case svg, pdf, png
}
