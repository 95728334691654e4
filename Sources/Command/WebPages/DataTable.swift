/// A table. The first cell of each row names the row.
///
/// Readers with scripts sort it by any column, find rows of a table longer than ten, and see `shown` rows until
/// they ask for all; readers without see all. The whole table is in the file: its length is the caller's choice.
public struct DataTable: Sendable, Equatable {
  /// What a column holds.
  public struct Column: Sendable, Equatable {
    /// How it is set and sorted.
    public enum Kind: String, Sendable, Equatable {
      /// To the right, by `Cell.value`, the greatest first.
      case number
      /// To the left, by the alphabet, numbers within by their size.
      case word
    }

    /// The heading.
    public var title: String
    /// How it is set and sorted.
    public var kind: Kind
    /// What it means, in a sentence, listed under the table.
    public var explanation: String?

    /// A column under a heading.
    public init(_ title: String, _ kind: Kind = .word, explanation: String? = nil) {
      self.title = title
      self.kind = kind
      self.explanation = explanation
    }
  }

  /// What stands where a row and a column meet.
  public struct Cell: Sendable, Equatable {
    /// What is read.
    public var text: String
    /// What it is sorted by; nil, or what is not a number, comes last.
    public var value: Double?
    /// The place it links to.
    public var link: String?
    /// The length of a bar behind the text, as a fraction of the cell's width.
    public var bar: Double?
    /// How strongly the cell is shaded, 0…1, as in a matrix of counts.
    public var shade: Double?

    /// A cell.
    public init(
      _ text: String, value: Double? = nil, link: String? = nil, bar: Double? = nil,
      shade: Double? = nil
    ) {
      self.text = text
      self.value = value
      self.link = link
      self.bar = bar
      self.shade = shade
    }
  }

  /// Cells, one for each column.
  public struct Row: Sendable, Equatable {
    /// The place, for links.
    public var id: String?
    /// From the first column to the last.
    public var cells: [Cell]

    /// A row of cells.
    public init(id: String? = nil, _ cells: [Cell]) {
      self.id = id
      self.cells = cells
    }
  }

  /// The place, for links.
  public var id: String
  /// What the table is of, over it.
  public var caption: String
  /// From left to right.
  public var columns: [Column]
  /// In the order first shown.
  public var rows: [Row]
  /// How many rows are shown before a reader asks for all.
  public var shown: Int
  /// Whether readers can sort it; a matrix has an order of its own.
  public var isSortable: Bool

  /// A table whose rows have as many cells as there are columns.
  public init(
    id: String, caption: String, columns: [Column], rows: [Row], shown: Int = 20,
    isSortable: Bool = true
  ) {
    precondition(!columns.isEmpty, "a table without columns")
    precondition(shown > 0, "\(shown) rows shown")
    for (r, row) in rows.enumerated() {
      precondition(
        row.cells.count == columns.count,
        "row \(r) of \(id): \(row.cells.count) cells in \(columns.count) columns")
    }
    self.id = id
    self.caption = caption
    self.columns = columns
    self.rows = rows
    self.shown = shown
    self.isSortable = isSortable
  }
}
