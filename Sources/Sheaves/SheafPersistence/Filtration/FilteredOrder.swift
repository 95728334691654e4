import CellularSheaves

/// The coordinates of the cochains in the order of appearance: by the values of their cells, then by their numbers.
struct FilteredOrder {
  /// For each degree the coordinates in their order.
  let coordinates: [[Int]]
  /// For each degree the place of each coordinate in that order.
  let places: [[Int32]]
  /// For each degree the values of the coordinates in that order.
  let values: [[Double]]

  /// - Parameter degrees: 0, …, degrees − 1.
  init(_ filtration: SheafFiltration, degrees: Int) {
    let sheaf = filtration.sheaf
    var (coordinates, places, values) = ([[Int]](), [[Int32]](), [[Double]]())
    for k in 0..<degrees {
      let cells = sheaf.complex.cells(ofDimension: k).sorted {
        (filtration.values[$0], $0) < (filtration.values[$1], $1)
      }
      var (order, born) = ([Int](), [Double]())
      for cell in cells {
        for coordinate in sheaf.range(of: cell) {
          order.append(coordinate)
          born.append(filtration.values[cell])
        }
      }
      var place = [Int32](repeating: 0, count: order.count)
      for (i, coordinate) in order.enumerated() { place[coordinate] = Int32(i) }
      coordinates.append(order)
      places.append(place)
      values.append(born)
    }
    (self.coordinates, self.places, self.values) = (coordinates, places, values)
  }

  /// The number of coordinates of degree k.
  func count(_ k: Int) -> Int { coordinates[k].count }
}
