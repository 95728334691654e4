import Foundation

extension SeparationByScale {
  /// Both in plain text: for each scale and group of edges its share, by pair of classes where there are up to six, else the mean and the pairs with
  /// the least and the most; then the stalks.
  public var table: String {
    var lines: [[String]] = []
    let isShort = pairs.count <= 6
    lines.append(
      ["share of a flip"]
        + (isShort ? pairs.map(name) : ["mean of \(pairs.count) pairs", "least", "most"]))
    for (i, scale) in scales.enumerated() {
      if i > 0 { lines.append([]) }
      for group in scale {
        let values = shares(of: group.edges)
        if isShort {
          lines.append([group.name] + values.map(Self.text))
        } else if let low = values.indices.min(by: { values[$0] < values[$1] }),
          let high = values.indices.max(by: { values[$0] < values[$1] })
        {
          lines.append([
            group.name, Self.text(meanShare(of: group.edges)),
            "\(Self.text(values[low])) (\(name(pairs[low])))",
            "\(Self.text(values[high])) (\(name(pairs[high])))",
          ])
        }
      }
    }
    lines.append([])
    if isShort {
      lines.append(["flip energy"] + flipEnergies.map(Self.text))
    } else if let low = flipEnergies.indices.min(by: { flipEnergies[$0] < flipEnergies[$1] }),
      let high = flipEnergies.indices.max(by: { flipEnergies[$0] < flipEnergies[$1] })
    {
      lines.append([
        "flip energy", Self.text(flipEnergies.reduce(0, +) / Double(pairs.count)),
        "\(Self.text(flipEnergies[low])) (\(name(pairs[low])))",
        "\(Self.text(flipEnergies[high])) (\(name(pairs[high])))",
      ])
    }
    let upper = Self.columns(lines)
    let lower = Self.columns(
      [["stalk", "dimension", "between", "within", "ratio", "plain ratio"]]
        + stalks.map {
          [
            $0.name, "\($0.dimension)", Self.text($0.between), Self.text($0.within),
            Self.text($0.ratio), Self.text($0.plain),
          ]
        })
    return stalks.isEmpty ? upper : upper + "\n" + lower
  }

  private func name(_ pair: Pair) -> String {
    "\(classNames[pair.first])–\(classNames[pair.second])"
  }

  private static func text(_ x: Double) -> String {
    abs(x) >= 1000 ? String(format: "%.3g", x) : String(format: "%.3f", x)
  }

  /// Cells in columns, the first to the left, the others to the right.
  private static func columns(_ lines: [[String]]) -> String {
    var widths: [Int] = []
    for line in lines {
      for (k, cell) in line.enumerated() {
        if k == widths.count { widths.append(0) }
        widths[k] = max(widths[k], cell.count)
      }
    }
    return lines.map { line in
      line.enumerated().map { k, cell in
        let space = String(repeating: " ", count: widths[k] - cell.count)
        return k == 0 ? cell + space : space + cell
      }.joined(separator: "  ") + "\n"
    }.joined()
  }
}
