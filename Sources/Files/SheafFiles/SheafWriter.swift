import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

extension CellularSheaf {
  /// The sheaf as JSON that `SheafFile` reads.
  public var json: Data {
    var text = "{\"cells\":["
    for cell in 0..<complex.count {
      text += cell > 0 ? ",\n" : "\n"
      text += "{\"id\":\(complex.name(cell).jsonLiteral),\"stalk\":\(stalk(of: cell))"
      switch innerProduct(of: cell) {
      case .standard: break
      case .scalar(let w): text += ",\"weight\":\(w)"
      case .diagonal(let w): text += ",\"weight\":\(w)"
      case .matrix(let w): text += ",\"weight\":\(w.jsonRows)"
      }
      let incidences = complex.incidences(of: cell)
      if incidences.isEmpty && complex.dimension(of: cell) > 0 {
        text += ",\"dimension\":\(complex.dimension(of: cell))"
      }
      if !incidences.isEmpty {
        text += ",\"faces\":["
        for i in incidences {
          if i > incidences.lowerBound { text += "," }
          let face = complex.face(i)
          text += "{\"of\":\(complex.name(face).jsonLiteral),\"sign\":\(complex.sign(i)),\"map\":"
          switch map(i) {
          case .identity: text += "\"identity\"}"
          case .scalar(let s): text += "\(s)}"
          case .matrix(let m): text += m.jsonRows + "}"
          case .sparse(let m): text += m.dense.jsonRows + "}"
          }
        }
        text += "]"
      }
      text += "}"
    }
    return Data((text + "\n]}\n").utf8)
  }
}

extension Matrix {
  /// The rows as JSON.
  fileprivate var jsonRows: String {
    "["
      + (0..<rows).map { i in
        "[" + (0..<columns).map { "\(self[i, $0])" }.joined(separator: ",") + "]"
      }
      .joined(separator: ",") + "]"
  }
}
