/// A picture with what is known of it, in a gallery.
public struct Card: Sendable, Equatable {
  /// A name and what it is.
  public struct Fact: Sendable, Equatable {
    /// The name.
    public var name: String
    /// What it is.
    public var value: String

    /// A name and what it is.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The place, for links.
  public var id: String?
  /// What is seen; nil for words alone.
  public var image: PixelImage?
  /// Under the picture.
  public var title: String
  /// Under the title.
  public var facts: [Fact]
  /// The place the title links to.
  public var link: String?

  /// A card.
  public init(
    id: String? = nil, image: PixelImage? = nil, title: String, facts: [(String, String)] = [],
    link: String? = nil
  ) {
    self.id = id
    self.image = image
    self.title = title
    self.facts = facts.map { Fact($0.0, $0.1) }
    self.link = link
  }
}
