import Figures
import LinearAlgebra
import NeuralSheaves
import SheafTraining

extension Exhibit {
  private static let sentence =
    "The joint flow learns without a backward pass, and ends above gradient descent from the same weights where the "
    + "loss is a square or a binary cross-entropy."

  static let settings =
    "the paper's: 300 training and 100 test samples, seed 1, dt and rates by task, joint flow and gradient descent with "
    + "as many steps; equilibrium: the default rule of sheaf train --method equilibrium, Adam, full batches, at most "
    + "20,000 steps"

  /// Losses along training, paraboloid and circular, both depths.
  static let trainingCurves = Exhibit(
    name: "training-curves", title: "Training curves of sheaf flow and gradient descent"
  ) { lab in
    var panels: [Panel] = []
    for task in PaperTask.all where task.task == .paraboloid || task.task == .circular {
      let run = try lab.training(task)
      let courses = [
        ("sheaf flow", run.sheaf), ("gradient descent", run.descent),
        ("equilibrium, Adam", run.equilibrium),
      ]
      panels.append(
        Panel(
          run.task.name, x: Axis("step", scale: .logarithmic),
          y: Axis("test loss", scale: .logarithmic), legend: .bottomLeft,
          layers: courses.map { name, course in
            .line(
              x: course.records.dropFirst().map { Double($0.step) },
              y: course.records.dropFirst().map { $0.test?.loss ?? .nan }, label: name)
          }))
    }
    var findings = Findings(sentence, settings: settings)
    findings.figures = [("", Figure(columns: 2, width: .page, panels: panels))]
    return findings
  }

  /// What networks have learned: the paraboloid's surface, the decision boundary of circular.
  static let surfaces = Exhibit(
    name: "surfaces", title: "Surfaces and decision boundaries of sheaf flow and gradient descent"
  ) { lab in
    try outputs(
      [.named(.paraboloid, 1), .named(.circular, 2)], lab,
      "Both methods find the bowl and the ring; gradient descent's surface is the smoother, its boundary the steeper."
    )
  }

  /// The same for all four tasks.
  static let learnedOutputs = Exhibit(
    name: "learned-outputs", title: "Learned outputs of all four tasks"
  ) { lab in
    try outputs(
      PaperTask.all.filter { $0.depth == 2 }, lab,
      "The outputs of the two-layer networks beside the task: values for regression, the probability of class 1 for "
        + "circular, the likeliest class for blobs.")
  }

  private static func outputs(
    _ tasks: [PaperTask], _ lab: Laboratory, _ sentence: String
  ) throws -> Findings {
    var findings = Findings(sentence, settings: settings + "; a grid of 61 × 61 inputs")
    var panels: [Panel] = []
    for task in tasks {
      let run = try lab.training(task)
      let grid = OutputGrid(run.train.input)
      let truth = grid.target(task.task)
      let values = [run.sheaf.network, run.descent.network].map { grid.values(of: $0) }
      let all = (values.flatMap { $0 } + (truth ?? [])).filter(\.isFinite)
      let (low, high) = (all.min() ?? 0, all.max() ?? 1)
      let range = task.task == .circular ? 0...1 : low...max(high, low + 1e-9)
      let levels = task.task == .circular ? [0.5] : grid.levels(low, high)
      let isClasses = task.task == .blobs
      func panel(_ title: String, _ values: [Double]) -> Panel {
        let picture = Layer.heatMap(
          x: grid.x, y: grid.y, values: values,
          palette: isClasses ? .categorical : .sequential, range: isClasses ? nil : range)
        let contours = Layer.contours(x: grid.x, y: grid.y, values: values, levels: levels)
        return Panel(
          title, x: Axis("x₁"), y: Axis("x₂"), colourLabel: isClasses ? "class" : nil,
          layers: [picture] + (isClasses ? [] : [contours])
            + (task.isRegression ? [] : grid.points(run.train, overPicture: true)))
      }
      panels.append(
        truth.map { panel("\(task.name): target", $0) }
          ?? Panel(
            "\(task.name): samples", x: Axis("x₁"), y: Axis("x₂"),
            layers: grid.points(run.train, overPicture: false)))
      panels.append(panel("sheaf flow", values[0]))
      panels.append(panel("gradient descent", values[1]))
    }
    findings.figures = [
      ("", Figure(columns: 3, width: .page, aspect: 0.85, panels: panels))
    ]
    return findings
  }

  /// The eight runs, with training by equilibria and the time to the same loss.
  static let trainingTable = Exhibit(
    name: "training-table", title: "The eight training runs"
  ) { lab in
    var table = ResultTable([
      "run", "sheaf flow", "paper", "gradient descent", "paper", "equilibrium", "sheaf flow, s",
      "least time to its training loss, s", "by",
    ])
    var findings = Findings(
      "Test losses at the end. The data and weights are our own, so losses are of the paper's size and not its digits. "
        + "The last columns: how long the sheaf flow took, and which method came to its training loss first. Trained on to "
        + "the end both others overfit the overlapping blobs, equilibria with Adam the most.",
      settings: settings)
    for task in PaperTask.all {
      let run = try lab.training(task)
      let loss = run.sheaf.last.train.loss
      let rivals = [
        ("sheaf flow", run.sheaf.seconds(toLoss: loss)),
        ("gradient descent", run.descent.seconds(toLoss: loss)),
        ("equilibrium", run.equilibrium.seconds(toLoss: loss)),
      ].compactMap { name, time in time.map { (name, $0) } }
      let first = rivals.min { $0.1 < $1.1 }
      let (sheaf, descent, equilibrium) = (
        run.sheaf.last.test!.loss, run.descent.last.test!.loss, run.equilibrium.last.test!.loss
      )
      let paper = task.paperLosses
      table.append([
        task.name, digits(sheaf), digits(paper.sheaf), digits(descent), digits(paper.descent),
        digits(equilibrium), digits(run.sheaf.last.seconds, 3),
        first.map { digits($0.1, 3) } ?? "–", first?.0 ?? "–",
      ])
      findings.comparisons += [
        Comparison("\(task.name): test loss, sheaf flow", sheaf, paper: paper.sheaf),
        Comparison("\(task.name): test loss, gradient descent", descent, paper: paper.descent),
      ]
    }
    var stalks = ResultTable([
      "run", "mean |ω − forward pass|", "total discord of the training stalks",
    ])
    for task in PaperTask.all {
      let run = try lab.training(task)
      let forward = NeuralSheaf(run.sheaf.network).forwardPass(run.train.input)
      let pairs = zip(run.stalks.stalks, forward.stalks).dropFirst()
      let (sum, count) = pairs.reduce((0.0, 0)) { total, pair in
        var d = pair.0
        d.add(pair.1, scale: -1)
        return (total.0 + d.elements.reduce(0) { $0 + abs($1) }, total.1 + d.count)
      }
      // Runs that go back to the forward pass have just done so.
      stalks.append([
        task.name, task.startsAtRandom ? digits(sum / Double(count)) : "starts again there",
        digits(run.discords.total),
      ])
    }
    findings.tables = [("", table), ("stalks", stalks)]
    return findings
  }
}
