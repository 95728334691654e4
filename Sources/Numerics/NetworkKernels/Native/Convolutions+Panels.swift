import CKernels
import LinearAlgebra

/// The window elements of a few output rows as a matrix.
extension Convolution {
  /// The window elements of some output places as a matrix, (places, filterSize): in the panel, or the
  /// image itself where windows are points.
  func unfold(
    _ x: UnsafePointer<Double>, _ sample: Int, _ group: Int, _ places: Range<Int>,
    _ panel: UnsafeMutablePointer<Double>
  ) -> (UnsafePointer<Double>, Int) {
    let image = x + sample * sourceSize + group * (sourceSize / groups)
    if window.isPointwise { return (image + places.lowerBound, window.outputSize) }
    var geometry = geometry
    guard window.image.depth != nil else {
      let rows = rows(of: places)
      ck_image_to_columns(
        &geometry, window.channels / groups, rows.lowerBound, rows.upperBound, image, panel)
      return (UnsafePointer(panel), places.count)
    }
    let rows = rows(of: places)
    forEachSlice(of: places) { plane, start in
      let part = panel + start
      if let plane {
        ck_image_to_columns(&geometry, 1, rows.lowerBound, rows.upperBound, image + plane, part)
      } else {
        part.update(repeating: 0, count: sliceSize(of: places))
      }
    }
    return (UnsafePointer(panel), places.count)
  }

  /// The transpose of `unfold`, added to an image.
  func fold(
    _ panel: UnsafeMutablePointer<Double>, _ places: Range<Int>,
    onto image: UnsafeMutablePointer<Double>
  ) {
    var geometry = geometry
    let rows = rows(of: places)
    guard window.image.depth != nil else {
      return ck_add_columns_to_image(
        &geometry, window.channels / groups, rows.lowerBound, rows.upperBound, panel, image)
    }
    forEachSlice(of: places) { plane, start in
      guard let plane else { return }
      ck_add_columns_to_image(
        &geometry, 1, rows.lowerBound, rows.upperBound, panel + start, image + plane)
    }
  }

  /// Visits panels of output rows, which lie in one image of the output, with room for their window
  /// elements.
  func forEachPanel(
    samples: Int,
    _ body: (
      _ sample: Int, _ group: Int, _ places: Range<Int>, _ panel: UnsafeMutablePointer<Double>
    ) -> Void
  ) {
    // Measured: panels of a quarter of a megabyte stay in the second cache.
    let (height, width) = (window.output.height, window.output.width)
    guard window.outputSize > 0 else { return }
    let rows = max(1, min(height, 32_768 / max(filterSize * width, 1)))
    let panel = ck_scratch(window.isPointwise ? 1 : rows * width * filterSize)!
    for sample in 0..<samples {
      for group in 0..<groups {
        for plane in 0..<(window.output.depth ?? 1) {
          for first in stride(from: 0, to: height, by: rows) {
            let start = plane * height
            body(
              sample, group,
              (start + first) * width..<(start + min(first + rows, height)) * width, panel)
          }
        }
      }
    }
  }

  /// The rows, in their image of the output, of places that fill rows.
  private func rows(of places: Range<Int>) -> Range<Int> {
    let (height, width) = (window.output.height, window.output.width)
    let first = places.lowerBound / width % height
    return first..<first + places.count / width
  }

  /// The size of the part of a panel that holds the window elements in one image of a volume.
  private func sliceSize(of places: Range<Int>) -> Int {
    places.count * window.kernel.height * window.kernel.width
  }

  /// Visits the images of a volume that windows at some output places look at, channel by channel: where
  /// an image begins in the group's channels, nil if it is padding, and where its part of the panel does.
  private func forEachSlice(of places: Range<Int>, _ visit: (_ image: Int?, _ part: Int) -> Void) {
    let w = window
    guard let depth = w.image.depth, let kernel = w.kernel.depth else { return }
    let front =
      places.lowerBound / (w.output.height * w.output.width) * w.stride.depth!
      - w.paddingBefore.depth!
    for c in 0..<w.channels / groups {
      for k in 0..<kernel {
        let z = front + k * w.dilation.depth!
        visit(
          (0..<depth).contains(z) ? (c * depth + z) * w.image.height * w.image.width : nil,
          (c * kernel + k) * sliceSize(of: places))
      }
    }
  }

  var geometry: ck_window {
    ck_window(
      height: window.image.height, width: window.image.width,
      out_height: window.output.height, out_width: window.output.width,
      kernel_height: window.kernel.height, kernel_width: window.kernel.width,
      stride_height: window.stride.height, stride_width: window.stride.width,
      dilation_height: window.dilation.height, dilation_width: window.dilation.width,
      pad_top: window.paddingBefore.height, pad_left: window.paddingBefore.width)
  }
}
