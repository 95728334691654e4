import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Interpolation: Resize and Upsample.
extension ONNXImporter {
  mutating func resize(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    var q = try x.tensor(0)
    if batch == 1 { q.layout = q.layout.whole }
    let axes = try interpolations(node, x, q.layout)
    guard elementCount(axes.map(\.result), limit: Self.sizeLimit) != nil else {
      throw node.failure("makes more than 2^26 coordinates")
    }
    var layout = q.layout
    layout.sample = axes.map(\.result)
    let taps = axes.map { $0.taps() }
    // The nearest place alone is another order.
    if taps.allSatisfy({ $0.allSatisfy { $0.count == 1 && $0[0].value == 1 } }) {
      var view = q.view
      for (axis, list) in taps.enumerated() where axes[axis].source > 0 {
        let places = list.map { $0[0].column }
        if places == Array(0..<axes[axis].source) { continue }
        try reserve(view.indices.count / axes[axis].source * places.count, for: node)
        view = view.gathered(axis: axis, places)
      }
      var result = viewed(q, as: view)
      result.layout = layout
      return [.quantity(result)]
    }
    let most = taps.map { $0.map(\.count).max() ?? 0 }
    guard let count = elementCount(layout.sample + most.filter { $0 > 1 }, limit: Self.sizeLimit)
    else { throw node.failure("takes more than 2^26 places") }
    try reserve(count, for: node)
    let rows = Self.product(of: taps, axes.map(\.source))
    var result = try append(
      SparseLinear(SparseMatrix(rows: rows, columns: q.size)), to: q, shape: layout.sample,
      for: node)
    result.layout = layout
    let outside = try node.real("extrapolation_value") ?? 0
    if outside != 0, rows.contains(where: \.isEmpty) {
      result = try scaleAndShift(
        result, scale: .number(1),
        shift: ONNXConstant(shape: layout.sample, .real(rows.map { $0.isEmpty ? outside : 0 })),
        node)
    }
    return [.quantity(result)]
  }

  /// The taps of all axes together, in row-major order.
  private static func product(
    of taps: [[[(column: Int, value: Double)]]], _ extents: [Int]
  ) -> [[(column: Int, value: Double)]] {
    var rows: [[(column: Int, value: Double)]] = [[(0, 1)]]
    for (list, extent) in zip(taps, extents) {
      rows = rows.flatMap { row in
        list.map { taps in
          row.flatMap { entry in
            taps.map { (entry.column * extent + $0.column, entry.value * $0.value) }
          }
        }
      }
    }
    return rows
  }

  /// The interpolation along each axis of a sample.
  private func interpolations(
    _ node: ONNXNode, _ x: ONNXInputs, _ layout: TensorShape
  ) throws(ArrayFileError) -> [ONNXInterpolation] {
    let extents = layout.extents(batch: batch)
    let isEarly = node.type == "Upsample" || node.operatorSet < 11
    var axes = Array(0..<layout.rank)
    if let given = try node.integers("axes") {
      axes = []
      for a in given { axes.append(try node.axis(a, rank: layout.rank)) }
    }
    let (mode, transformation) = try modes(node, isEarly: isEarly)
    // Factors or extents.
    var scales = try node.reals("scales")
    if let c = try x.constant(isEarly ? 1 : 2), c.count > 0 { scales = c.reals }
    let sizes = isEarly ? nil : try x.constant(3)
    if let c = sizes, c.count > 0 {
      guard let list = c.integers else { throw node.failure("expected whole numbers as sizes") }
      guard list.count == axes.count else {
        throw node.failure("\(list.count) sizes for \(axes.count) axes")
      }
      scales = try self.scales(node, list, axes.map { extents[$0] })
    }
    guard let scales, scales.count == axes.count, scales.allSatisfy({ $0 > 0 && $0 < 0x1p26 })
    else {
      throw node.failure(
        "scales \(scales ?? []), expected a positive number for each of \(axes.count) axes")
    }
    let keepsSizes = try node.text("keep_aspect_ratio_policy") ?? "stretch" == "stretch"
    let region = transformation == "tf_crop_and_resize" ? try x.weights(1, "roi").reals : []
    if transformation == "tf_crop_and_resize", region.count != 2 * axes.count {
      throw node.failure("\(region.count) numbers as roi, expected \(2 * axes.count)")
    }
    var result: [ONNXInterpolation?] = layout.sample.map { extent in
      ONNXInterpolation(
        mode: mode, transformation: "asymmetric", source: extent, result: extent, scale: 1)
    }
    for (k, axis) in axes.enumerated() {
      let scale = Float(scales[k])
      let extent = extents[axis]
      let target: Int
      if let list = sizes?.integers, !list.isEmpty, keepsSizes {
        target = list[k]
      } else if sizes?.count ?? 0 > 0 {
        target = Int((scale * Float(extent) + 0.5).rounded(.down))
      } else {
        target = Int((scale * Float(extent)).rounded(.down))
      }
      // Runtimes leave such an axis alone.
      if target == extent, !region.isEmpty,
        region[k] != 0 || region[k + axes.count] != 1
      {
        throw node.failure(
          "tf_crop_and_resize of axis \(axis) from \(extent) to \(target) with roi \(Float(region[k])) to "
            + "\(Float(region[k + axes.count])), on which the specification and runtimes differ; expected "
            + "another extent or the roi 0 to 1")
      }
      guard let own = layout.sampleAxis(axis), !(layout.isMerged && axis == layout.batchAxis) else {
        guard target == extent else { throw node.failure("resizes the batch, axis \(axis)") }
        continue
      }
      guard (1...1 << 26).contains(target) else {
        throw node.failure("resizes axis \(axis) of \(extent) to \(target)")
      }
      if try node.integer("antialias") ?? 0 != 0, scale < 1 {
        throw node.failure("downsamples with antialias, which is not supported")
      }
      result[own] = ONNXInterpolation(
        mode: mode, transformation: transformation, source: extent, result: target, scale: scale,
        region: region.isEmpty ? (0, 1) : (Float(region[k]), Float(region[k + axes.count])))
    }
    return result.compactMap { $0 }
  }

  private func modes(
    _ node: ONNXNode, isEarly: Bool
  ) throws(ArrayFileError) -> (ONNXInterpolation.Mode, String) {
    let transformation =
      isEarly ? "asymmetric" : try node.text("coordinate_transformation_mode") ?? "half_pixel"
    let transformations = [
      "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
      "tf_half_pixel_for_nn", "tf_crop_and_resize",
    ]
    guard transformations.contains(transformation) else {
      throw node.failure(
        "coordinate_transformation_mode \"\(transformation.printable)\", expected one of "
          + transformations.joined(separator: ", "))
    }
    switch try node.text("mode") ?? "nearest" {
    case "nearest":
      let rule = isEarly ? "simple" : try node.text("nearest_mode") ?? "round_prefer_floor"
      let rules = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"]
      guard rules.contains(rule) else {
        throw node.failure(
          "nearest_mode \"\(rule.printable)\", expected one of "
            + rules.dropLast().joined(separator: ", "))
      }
      return (.nearest(rule), transformation)
    case "linear", "bilinear": return (.linear, transformation)
    case "cubic":
      return (
        .cubic(
          Float(try node.real("cubic_coeff_a") ?? -0.75),
          excludesOutside: try node.integer("exclude_outside") ?? 0 != 0), transformation
      )
    case let other:
      throw node.failure("mode \"\(other.printable)\", expected nearest, linear or cubic")
    }
  }

  /// The factors that extents ask for, equal ones where the aspect ratio is kept.
  private func scales(
    _ node: ONNXNode, _ sizes: [Int], _ extents: [Int]
  ) throws(ArrayFileError) -> [Double] {
    let own = zip(sizes, extents).map { Double(Float($0) / Float($1)) }
    switch try node.text("keep_aspect_ratio_policy") ?? "stretch" {
    case "stretch": return own
    case "not_larger": return own.map { _ in own.min() ?? 1 }
    case "not_smaller": return own.map { _ in own.max() ?? 1 }
    case let other:
      throw node.failure(
        "keep_aspect_ratio_policy \"\(other.printable)\", expected stretch, not_larger or "
          + "not_smaller")
    }
  }
}
