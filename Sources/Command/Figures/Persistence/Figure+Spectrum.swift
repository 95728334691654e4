extension Figure {
  /// The smallest eigenvalues of a Laplacian along a filtration, one curve for each place in their order; below it, if
  /// there are any, the Betti numbers as steps, on the same axis of scales.
  ///
  /// - Parameters:
  ///   - scales: of the filtration, increasing.
  ///   - eigenvalues: for each scale the smallest ones, ascending; as many as there are.
  ///   - betti: for each scale the dimension of the kernel, which holds until the next; nil for none.
  ///   - eigenvalueScale: on a logarithmic axis those that are not above 0 are left out.
  ///   - name: of the eigenvalues' axis.
  public static func spectrum(
    scales: [Double], eigenvalues: [[Double]], betti: [Int]? = nil, title: String? = nil,
    axis: String = "filtration value", name: String = "eigenvalue",
    eigenvalueScale: Axis.Scale = .linear
  ) -> Figure {
    precondition(
      eigenvalues.count == scales.count && betti?.count ?? scales.count == scales.count,
      "\(eigenvalues.count) lists of eigenvalues and \(betti?.count ?? 0) Betti numbers for \(scales.count) scales"
    )
    let range = scales.first.flatMap { low in
      scales.last.flatMap { $0 > low && low.isFinite && $0.isFinite ? low...$0 : nil }
    }
    let count = eigenvalues.reduce(0) { max($0, $1.count) }
    let curves = (0..<count).map { k -> Layer in
      let values = eigenvalues.map { k < $0.count ? $0[k] : .nan }
      let isShown = values.contains { Span.admits($0, eigenvalueScale) }
      return .line(
        x: scales, y: values, label: isShown ? "λ" + Layer.lowered(k + 1) : nil,
        style: LineStyle(.series(k)))
    }
    var panels = [
      Panel(
        x: Axis(betti == nil ? axis : "", range: range), y: Axis(name, scale: eigenvalueScale),
        legend: count > 1 ? .below : .none, layers: curves)
    ]
    if let betti {
      // A step where the number changes.
      var (x, y) = ([Double](), [Double]())
      for (k, number) in betti.enumerated() {
        if k > 0 {
          x.append(scales[k])
          y.append(Double(betti[k - 1]))
        }
        x.append(scales[k])
        y.append(Double(number))
      }
      let most = betti.max() ?? 0
      let step = max(1, (most + 4) / 5)
      panels.append(
        Panel(
          x: Axis(axis, range: range),
          y: Axis(
            "Betti number", range: 0...Double(max(most, 1)) + 0.5 * Double(step),
            ticks: stride(from: 0, through: most, by: step).map { .init(Double($0), "\($0)") }),
          layers: [.line(x: x, y: y, style: LineStyle(.ink, dash: .solid))]))
    }
    return Figure(title, aspect: betti == nil ? 0.72 : 0.55, panels: panels)
  }
}
