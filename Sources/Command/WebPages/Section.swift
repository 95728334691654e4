/// A part of a page under a heading of its own.
public struct Section: Sendable {
  /// Whether there is anything to show.
  public enum Status: Sendable, Equatable {
    case done
    /// Left out, and why, in a sentence. The list of contents marks it.
    case skipped(why: String)
  }

  /// The place, for links.
  public var id: String
  /// The heading.
  public var title: String
  /// What the section shows and how to read it.
  public var note: Inline?
  /// Whether there is anything to show.
  public var status: Status
  /// What it shows, in order.
  public var blocks: [Block]

  /// A section that shows blocks.
  public init(
    id: String, title: String, note: Inline? = nil, status: Status = .done, blocks: [Block] = []
  ) {
    self.id = id
    self.title = title
    self.note = note
    self.status = status
    self.blocks = blocks
  }
}
