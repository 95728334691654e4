import ArrayFiles
import CellularSheaves
import Figures
import Foundation

/// A cochain of degree 0 on a complex in the plane: its edges, and its vertices in colours by their value, or by the norm
/// of it where a stalk has several dimensions.
struct CochainDrawing {
  let figure: Figure

  init(
    _ sheaf: CellularSheaf, degree: Int, values: [Double], positions: [String: [Double]],
    file: String
  ) throws {
    let complex = sheaf.complex
    guard degree == 0 else {
      throw ArrayFileError(
        file: file, problem: "a cochain of degree \(degree) to draw, expected one on vertices")
    }
    let vertices = complex.cells(ofDimension: 0)
    let places = try vertices.map { v -> [Double] in
      guard let place = positions[complex.name(v)], place.count == 2 else {
        throw ArrayFileError(
          file: file,
          problem: "cell \"\(complex.name(v).printable)\" has no position in the plane, expected "
            + "\"position\": [x, y] or points in the plane to draw")
      }
      return place
    }
    let sizes = vertices.map { v -> Double in
      let list = values[sheaf.range(of: v)]
      return list.count == 1 ? list.first! : list.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    var layers: [Layer] = []
    var (x, y): ([Double], [Double]) = ([], [])
    for edge in complex.cells(ofDimension: 1) {
      for i in complex.incidences(of: edge) {
        x.append(places[complex.face(i)][0])
        y.append(places[complex.face(i)][1])
      }
      // A gap before the next edge.
      x.append(.nan)
      y.append(.nan)
    }
    if !x.isEmpty {
      layers.append(.line(x: x, y: y, style: LineStyle(.muted, dash: .solid, width: 0.6)))
    }
    let (low, high) = (sizes.min() ?? 0, sizes.max() ?? 0)
    let classes = high > low ? 5 : 1
    for k in 0..<classes {
      let (from, to) = (
        low + (high - low) * Double(k) / Double(classes),
        low + (high - low) * Double(k + 1) / Double(classes)
      )
      let chosen = sizes.indices.filter {
        sizes[$0] >= from && (sizes[$0] < to || k == classes - 1)
      }
      layers.append(
        .points(
          x: chosen.map { places[$0][0] }, y: chosen.map { places[$0][1] },
          label: classes == 1
            ? TextOutput.number(low) : "\(TextOutput.number(from)) to \(TextOutput.number(to))",
          style: PointStyle(size: 5)))
    }
    figure = Figure(panels: [
      Panel("", x: Axis("x"), y: Axis("y"), legend: .below, layers: layers)
    ])
  }
}
