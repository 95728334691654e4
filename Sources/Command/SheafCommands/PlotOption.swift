import ArgumentParser
import Figures

/// A plot among what is printed.
struct PlotOption: ParsableArguments {
  @Flag(help: "Print a plot as well.") var plot = false

  /// - Throws: `ValidationError` beside --json, whose output is one object.
  func check(json: Bool) throws {
    guard plot && json else { return }
    throw ValidationError(
      "--plot prints to the terminal, found --json as well; expected one of them")
  }

  /// A panel, if it is asked for.
  func add(_ panel: @autoclosure () -> Panel, to delivery: inout Delivery) {
    guard plot else { return }
    delivery.print("\n" + Figure(panels: [panel()]).text())
  }
}

extension Panel {
  /// Losses by step.
  static func losses(_ courses: [(name: String, losses: [(step: Int, loss: Double)])]) -> Panel {
    Panel(
      "loss", x: Axis("step"), y: Axis(scale: .logarithmic), legend: .topRight,
      layers: courses.map { name, losses in
        .line(x: losses.map { Double($0.step) }, y: losses.map(\.loss), label: name)
      })
  }
}
