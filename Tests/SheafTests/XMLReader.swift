import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The elements of a document of XML in order, and the texts they hold.
final class XMLReader: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// With that of the elements inside.
    var text = ""
  }

  let source: String
  private(set) var elements: [Element] = []
  private var open: [Int] = []

  private init(_ source: String) { self.source = source }

  /// The document, or nil where it is not well formed.
  static func read(_ source: String) -> XMLReader? {
    let reader = XMLReader(source)
    let parser = XMLParser(data: Data(source.utf8))
    parser.delegate = reader
    return parser.parse() ? reader : nil
  }

  /// The attributes of the elements of a name.
  func all(_ name: String) -> [[String: String]] {
    elements.filter { $0.name == name }.map(\.attributes)
  }

  /// The texts of the elements of a name.
  func text(of name: String) -> [String] { elements.filter { $0.name == name }.map(\.text) }

  /// The values of an attribute.
  func attributes(_ name: String) -> [String] { elements.compactMap { $0.attributes[name] } }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) { open.removeLast() }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    for k in open { elements[k].text += text }
  }
}
