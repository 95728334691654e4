import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles
@testable import WebPages

/// Pages as a reader's program sees them.
struct WebPageTests {
  /// A page with all that pages can hold, every name and text of which may be `odd`.
  static func page(_ odd: String) -> Page {
    let table = DataTable(
      id: "table \(odd)", caption: odd,
      columns: [.init(odd, explanation: odd), .init("number", .number)],
      rows: [
        .init(
          id: "row \(odd)", [.init(odd, link: "card \(odd)"), .init("1", value: 1, bar: 0.25)]),
        // A name that is taken, a link to nowhere.
        .init(id: "row \(odd)", [.init("b", link: "nowhere"), .init("2", value: 2, shade: 7)]),
      ])
    let svg =
      "<svg width=\"90\" height=\"50\"><a xlink:href=\"#row 0\"><text font-size=\"9\" id=\"t\">t</text></a></svg>"
    let drawing = Drawing(id: "drawing", svg: svg, caption: Inline(odd), alternative: odd)
    let card = Card(
      id: "card \(odd)", image: PixelImage(width: 1, height: 1, channels: 1, pixels: [7]),
      title: odd, facts: [(odd, odd)], link: "row \(odd)")
    return Page(
      title: odd, subtitle: odd, summary: [SummaryLine(.problem, "see \(odd)", target: odd)],
      sections: [
        Section(
          id: odd, title: odd, note: "\(.link(odd, to: "table \(odd)"))",
          blocks: [
            .heading(odd), .table(table), .drawing(drawing), .drawing(drawing), .gallery([card]),
            .facts([(odd, .code(odd))]), .list([.strong(odd)]),
            .details(summary: odd, [.paragraph(Inline(odd) + .link("none", to: "nowhere"))]),
            .drawing(Drawing(svg: odd, caption: "", alternative: "")),
          ]),
        Section(id: "page-main", title: "skipped", status: .skipped(why: odd)),
      ])
  }

  /// What a text is read as: forbidden characters replaced, breaks spaces, the others themselves.
  static func read(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          if "\t\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains(scalar) { return " " }
          let value = scalar.value
          let isHidden =
            value < 32 || (0x7F...0x9F).contains(value) || (0x202A...0x202E).contains(value)
            || (0x2066...0x2069).contains(value) || (0xFFFE...0xFFFF).contains(value)
          return isHidden ? "\u{FFFD}" : scalar
        }))
  }

  @Test(arguments: UInt64(0)..<40) func textsAreLiteralIdsUniqueAndLinksLead(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let alphabet = Array(
      "<>&\"'\u{0}\u{1B}\n\u{85}\u{202E}\u{2067}\u{FFFF}#;/]-=% aZ~é漢😀{}\\`".unicodeScalars)
    var odd = seed % 4 == 0 ? "]]></script>" : ""
    for _ in 0..<g.integer(0...12) {
      odd.unicodeScalars.append(alphabet[g.integer(0...alphabet.count - 1)])
    }
    let document = try #require(XMLReader.read(Self.page(odd).html), "seed \(seed): \(odd)")
    #expect(document.text(of: "h1") == [Self.read(odd)], "seed \(seed)")
    #expect(document.text(of: "h3") == [Self.read(odd)], "seed \(seed)")
    #expect(document.text(of: "code") == [Self.read(odd)], "seed \(seed)")
    #expect(document.text(of: "h2") == ["Summary", Self.read(odd), "skipped"], "seed \(seed)")
    #expect(document.all("svg").map { $0["aria-label"] } == [Self.read(odd), Self.read(odd)])
    let ids = document.attributes("id")
    #expect(Set(ids).count == ids.count && !ids.contains { $0.contains(" ") }, "seed \(seed)")
    let links = document.attributes("href")
    #expect(links.count > 8 && links.allSatisfy { ids.contains(String($0.dropFirst())) })
    for name in ["aria-labelledby", "aria-describedby"] {
      #expect(document.attributes(name).allSatisfy(ids.contains), "seed \(seed)")
    }
  }

  @Test func unlikeNamesStayUnlike() {
    let names = ["", "~", "a b", "a~20~b", "a-b", "page-x", "~70~age-x", "é", "e", "A", "a"]
    #expect(Set(names.map(Anchor.id)).count == names.count)
    #expect(Anchor.id("layer-3.weight_0") == "layer-3.weight_0")
    #expect(names.allSatisfy { !Anchor.id($0).hasPrefix("page-") && !Anchor.id($0).isEmpty })
  }

  @Test func nothingIsLoaded() throws {
    let html = Self.page("x").html
    #expect(html.replacing("http-equiv", with: "").contains("http") == false)
    let document = try #require(XMLReader.read(html))
    #expect(document.attributes("src").allSatisfy { $0.hasPrefix("data:image/png;base64,") })
    #expect(document.all("link").isEmpty && document.all("iframe").isEmpty)
    #expect(document.all("script").allSatisfy(\.isEmpty) && document.all("script").count == 1)
    #expect(document.attributes("content").contains { $0.hasPrefix("default-src 'none'") })
    #expect(document.elements.allSatisfy { !$0.attributes.keys.contains { $0.hasPrefix("on") } })
  }

  @Test func readersFindTheirWay() throws {
    let document = try #require(XMLReader.read(Self.page("x").html))
    #expect(document.all("html").map { $0["lang"] } == ["en"])
    for landmark in ["header", "nav", "main", "footer", "h1", "title"] {
      #expect(document.all(landmark).count == 1, "\(landmark)")
    }
    // Headings never leave a level out.
    let levels = document.elements.compactMap { element in
      element.name.count == 2 && element.name.hasPrefix("h") ? Int(element.name.dropFirst()) : nil
    }
    #expect(levels.first == 1 && zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
    #expect(document.all("img").allSatisfy { !($0["alt"] ?? "").isEmpty })
    #expect(document.all("svg").allSatisfy { ["img", "group"].contains($0["role"]) })
    for region in document.all("div") where region["role"] == "region" {
      #expect(region["tabindex"] == "0" && !(region["aria-label"] ?? "").isEmpty)
    }
    // Words and signs, not colours alone.
    #expect(document.text(of: "span").contains { $0.hasSuffix("Problem") })
    #expect(document.text(of: "span").contains("(skipped)"))
    #expect(document.text(of: "p").contains("1 problem."))
  }

  @Test func cellsCarryWhatTheyAreSortedBy() throws {
    let values: [Double?] = [0.1, -3, 1e300, .infinity, -.infinity, .nan, nil, 1.0 / 3]
    let table = DataTable(
      id: "t", caption: "c", columns: [.init("a"), .init("b", .number)],
      rows: values.map { .init([.init("x"), .init("y", value: $0)]) }, shown: 3)
    let page = Page(title: "", sections: [Section(id: "s", title: "", blocks: [.table(table)])])
    let document = try #require(XMLReader.read(page.html))
    let keys = document.all("td").map { $0["data-v"] }
    #expect(
      keys == [
        "0.1", "-3", "1e+300", "Infinity", "-Infinity", nil, nil, "0.3333333333333333",
      ])
    #expect(document.all("td").allSatisfy { $0["class"] == "n" })
    #expect(document.all("div").compactMap { $0["data-shown"] } == ["3"])
    // All rows are there for those without scripts.
    #expect(document.all("tr").count == 9 && document.attributes("hidden").isEmpty)
    #expect(Markup.fraction(0.25) == "0.25" && Markup.fraction(7) == "1")
    #expect(Markup.fraction(-1) == "0" && Markup.fraction(.nan) == nil)
    #expect(Markup.fraction(0.0504) == "0.05" && Markup.fraction(0.9996) == "1")
  }

  @Test func reportsKnowTheirOwn() {
    #expect(Page.isOwn(Data(Page(title: "a").html.utf8)))
    #expect(Page.isOwn(Data(Page(title: String(repeating: "<", count: 9999)).html.utf8)))
    #expect(!Page.isOwn(Data("<!DOCTYPE html><title>x</title>".utf8)) && !Page.isOwn(Data()))
    #expect(!Page.isOwn(Data("notes on <meta name=\"generator\" content=\"swift-sheaf\" />".utf8)))
  }

  /// WCAG 2.2: the ratio of luminances of a text and its ground is at least 4.5, of other marks 3.
  @Test func textsStandOutInBothSchemes() throws {
    let sheets = Stylesheet.text.components(separatedBy: ":root{").dropFirst().map {
      $0.prefix { $0 != "}" }.split(separator: ";").map { $0.split(separator: ":") }
    }
    try #require(sheets.count == 2)
    for sheet in sheets {
      let light = Dictionary(
        sheet.filter { $0.count == 2 }.map { ($0[0].dropFirst(2), Self.luminance(of: $0[1])) },
        uniquingKeysWith: { $1 })
      func ratio(_ text: Substring, _ ground: Substring) throws -> Double {
        let (a, b) = (try #require(light[text] ?? nil), try #require(light[ground] ?? nil))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
      }
      for text in ["ink", "soft", "accent", "problem", "notice", "fine"] as [Substring] {
        let contrast = try ratio(text, "ground")
        #expect(contrast >= 4.5, "\(text): \(contrast)")
      }
      for ground in ["panel", "bar", "heat", "mark"] as [Substring] {
        for text in ["ink", "accent"] as [Substring] where text == "ink" || ground != "heat" {
          let contrast = try ratio(text, ground)
          #expect(contrast >= 4.5, "\(text) on \(ground): \(contrast)")
        }
      }
      #expect(try ratio("soft", "panel") >= 4.5)
      // Texts of figures are tones up to that of #666666.
      for tone in ["tone-1", "tone-2", "tone-3", "tone-4"] as [Substring] {
        #expect(try ratio(tone, "ground") >= 4.5, "\(tone)")
      }
    }
  }

  /// Of `#rrggbb` or three numbers (WCAG 2.2, relative luminance).
  private static func luminance(of colour: Substring) -> Double? {
    var channels = colour.split(separator: " ").compactMap { Double($0) }
    if colour.hasPrefix("#"), let code = UInt32(colour.dropFirst(), radix: 16) {
      channels = [16, 8, 0].map { Double(code >> $0 & 255) }
    }
    guard channels.count == 3 else { return nil }
    let linear = channels.map { $0 / 255 }.map {
      $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
}
