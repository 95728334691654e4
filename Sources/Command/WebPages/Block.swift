/// A piece of a section.
public indirect enum Block: Sendable {
  case paragraph(Inline)
  /// Points, without numbers.
  case list([Inline])
  case table(DataTable)
  case drawing(Drawing)
  /// Cards side by side, as many to a line as have room.
  case gallery([Card])
  /// Names and what they are.
  case facts([(String, Inline)])
  /// What only some readers want, folded under a line; it prints unfolded.
  case details(summary: String, [Block])
  /// A heading below the section's.
  case heading(String)
}
