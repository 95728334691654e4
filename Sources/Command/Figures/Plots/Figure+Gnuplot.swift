import Foundation

extension Figure {
  /// The figure as commands of gnuplot (5.4 or later), with its data: `gnuplot FILE > figure.svg`.
  /// They stand for themselves and write to the standard output.
  public func script(as format: Format) -> String {
    let panels = self.panels.isEmpty ? [Panel(layers: [])] : self.panels
    let points = width.centimetres / 2.54 * 72
    let heading = title == nil ? 0.0 : 16.0
    let cellWidth = points / Double(columns)
    let cellHeight = (cellWidth * aspect).rounded()
    let rows = max((panels.count + columns - 1) / columns, 1)
    let page = (width: points.rounded(), height: heading + Double(rows) * cellHeight)

    var script = GnuplotScript(format, width: page.width, height: page.height)
    script.begin()
    let plans = panels.map { PanelPlan($0, width: cellWidth, height: cellHeight) }
    // Frames are aligned along rows and columns.
    var (across, along) = (
      Array(repeating: Margins(), count: columns), Array(repeating: Margins(), count: rows)
    )
    for (k, plan) in plans.enumerated() {
      across[k % columns].grow(left: plan.margins)
      along[k / columns].grow(bottom: plan.margins)
    }
    for (k, plan) in plans.enumerated() {
      let (column, row) = (k % columns, k / columns)
      let top = page.height - heading - Double(row) * cellHeight
      let cell = Box(
        left: Double(column) * cellWidth, bottom: top - cellHeight,
        right: Double(column + 1) * cellWidth, top: top)
      let frame = Box(
        left: cell.left + across[column].left, bottom: cell.bottom + along[row].bottom,
        right: cell.right - across[column].right, top: cell.top - along[row].top)
      script.add(plan, frame: frame, cell: cell, heading: k == 0 ? title : nil)
    }
    script.add("unset multiplot")
    return (script.lines + [""]).joined(separator: "\n")
  }

  /// The figure drawn by gnuplot. PNG has 288 dots per inch; fonts are DejaVu Sans, where there is one.
  ///
  /// - Throws: `DrawingFailure`, or an error of the file system, as files are handed over in the temporary folder.
  public func drawn(as format: Format) throws -> Data {
    try Gnuplot.draw(script(as: format), as: format)
  }
}
