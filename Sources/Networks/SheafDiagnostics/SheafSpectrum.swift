import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Spectra of the restricted Laplacians L[Ω,Ω] = δ_ΩᵀΓδ_Ω of a batch, each on the pattern of its state (Bosca, Ghrist
/// 2026, §6).
///
/// λ₁ is the rate at which the slowest part of the heat flow decays on this pattern, 2/λ_max the largest step of Euler's
/// method. Without assembling L: the largest eigenvalues by block Lanczos iterations on L, the least by the same on
/// L⁻¹ = δ_Ω⁻¹Γ⁻¹δ_Ω⁻ᵀ, which is two substitutions; small networks are decomposed.
public struct SheafSpectrum: Sendable {
  /// How spectra are worked out.
  public struct Settings: Sendable {
    /// How many eigenvalues at either end.
    public var pairs = 1
    /// Whether all eigenvalues are wanted: by a dense decomposition, n² numbers and order n³ operations a sample.
    public var isFull = false
    /// Up to this many free coordinates spectra are decomposed anyhow.
    public var denseLimit = 200
    /// Of the residuals of Lanczos iterations.
    public var tolerance = 1e-10
    /// Eigenvalues within this of that at the end of a spectrum, relative to it, share a space.
    public var clusterGap = 1e-9
    /// The most threads.
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    /// Asked between samples, and within, whether to end.
    public var halt = Halt.never
    /// One pair at either end.
    public init() {}
  }

  /// The spectrum of each sample; NaN with its status where there was no time for it.
  public let samples: [SampleSpectrum]
  /// log det L[Ω,Ω] = Σ log γ, 0 where all γ are 1: the diagonal of δ_Ω is 1 on every pattern (Theorem 1). Where all
  /// eigenvalues are there, the mean of Σ log λ instead, as a check.
  public let logDeterminant: Double
  private let blocks: [(name: String, rows: Range<Int>)]

  /// The spectra at a state.
  ///
  /// Cost, per sample and end: two sweeps for each of 10–60 blocks of two vectors, or a dense decomposition.
  public init(
    _ sheaf: NeuralSheaf, at state: SheafState, stiffness: Stiffness = .uniform,
    settings: Settings = Settings(), progress: (@Sendable (Int) -> Void)? = nil
  ) {
    let network = sheaf.network
    let coboundary = RestrictedCoboundary(
      sheaf, at: sheaf.patterns(at: state), batch: state.batch)
    let laplacian = RestrictedLaplacian(coboundary, stiffness: stiffness)
    let inverse = InverseRestrictedLaplacian(coboundary, stiffness: stiffness)
    let n = coboundary.rows
    let isDense = settings.isFull || n <= settings.denseLimit
    struct Task: Sendable {
      let samples: [Int]
      var spectra: [SampleSpectrum] = []
    }
    var tasks = Self.groups(
      batch: state.batch, order: n, threads: isDense ? state.batch : settings.threads
    ).map { Task(samples: Array($0)) }
    forEachInParallel(&tasks, threads: settings.threads) { task in
      if let reason = settings.halt.reason {
        task.spectra = task.samples.map { _ in SampleSpectrum(unknown: reason, order: n) }
        return
      }
      if isDense, let j = task.samples.first,
        let all = try? SymmetricEigendecomposition(laplacian.assembled(system: j))
      {
        task.spectra = [SampleSpectrum(all, settings)]
      } else {
        task.spectra = SampleSpectrum.ends(
          of: laplacian.systems(task.samples), inverse.systems(task.samples), settings,
          using: task.samples.map { RandomGenerator(seed: UInt64($0)) })
      }
      progress?(task.samples.count)
    }
    let samples = tasks.flatMap(\.spectra)
    self.samples = samples
    let sums = samples.compactMap { $0.eigenvalues?.reduce(0) { $0 + log($1) } }
    logDeterminant =
      sums.isEmpty
      ? network.vertices.indices.dropFirst().reduce(0) { sum, v in
        sum + (stiffness[v]?.reduce(0) { $0 + log($1) } ?? 0)
      } : sums.reduce(0, +) / Double(sums.count)
    var start = 0
    blocks = network.vertices.dropFirst().map { vertex in
      defer { start += vertex.dimension }
      return (vertex.name, start..<start + vertex.dimension)
    }
  }

  /// The spectra of the Hessians of a pinned energy, each on the face where its sample is (`FaceHessian`), such as at a
  /// pinned equilibrium.
  ///
  /// Vectors have all coordinates, the input first and a_{k+1} last where there is one. Up to 1000 degrees of freedom
  /// Hessians are decomposed; beyond, both ends are looked for by iterations on the Hessian itself, which take long for
  /// a small λ₁ (status `stepLimit`). `logDeterminant` is NaN but where all eigenvalues are known.
  public init(
    _ energy: PinnedEnergy, at state: SheafState, settings: Settings = Settings(),
    progress: (@Sendable (Int) -> Void)? = nil
  ) {
    let network = energy.sheaf.network
    var tasks = (0..<state.batch).map { (sample: $0, spectrum: SampleSpectrum?.none) }
    let names =
      network.vertices.map { ($0.name, $0.dimension) }
      + (energy.output == nil ? [] : [("output", network.outputDimension)])
    forEachInParallel(&tasks, threads: settings.threads) { task in
      let hessian = FaceHessian(energy, at: state, sample: task.sample)
      task.spectrum =
        settings.halt.reason.map {
          SampleSpectrum(unknown: $0, order: names.reduce(0) { $0 + $1.1 })
        }
        ?? SampleSpectrum(
          of: hessian, settings, denseLimit: max(settings.denseLimit, 1000),
          generator: RandomGenerator(seed: UInt64(task.sample))
        ) { hessian.expanded($0) }
      progress?(1)
    }
    samples = tasks.compactMap(\.spectrum)
    let sums = samples.compactMap { $0.eigenvalues?.reduce(0) { $0 + log($1) } }
    logDeterminant =
      sums.count == samples.count ? sums.reduce(0, +) / Double(max(sums.count, 1)) : .nan
    var start = 0
    blocks = names.map { name, dimension in
      defer { start += dimension }
      return (name, start..<start + dimension)
    }
  }

  /// Samples whose iterations run side by side: as many as there is memory for their bases, or a thread's share.
  private static func groups(batch: Int, order: Int, threads: Int) -> [Range<Int>] {
    let room = max(1, 20_000_000 / (60 * max(order, 1)))
    let size = max(1, min(room, (batch + threads - 1) / max(threads, 1)))
    return stride(from: 0, to: batch, by: size).map { $0..<min($0 + size, batch) }
  }

  /// The distribution of the eigenvalues of all samples at a state, for networks of any size: each sample's by stochastic
  /// Lanczos quadrature, with a seed of its own.
  ///
  /// Cost, per sample: `steps` times two sweeps for each vector.
  public static func densities(
    _ sheaf: NeuralSheaf, at state: SheafState, stiffness: Stiffness = .uniform, vectors: Int = 10,
    steps: Int = 60, threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    halt: Halt = .never
  ) -> [SpectralMeasure] {
    let laplacian = RestrictedLaplacian(
      RestrictedCoboundary(sheaf, at: sheaf.patterns(at: state), batch: state.batch),
      stiffness: stiffness)
    var tasks = (0..<state.batch).map { (sample: $0, measure: SpectralMeasure?.none) }
    forEachInParallel(&tasks, threads: threads) { task in
      var generator = RandomGenerator(seed: UInt64(task.sample))
      task.measure = SpectralMeasure(
        of: laplacian, system: task.sample, vectors: vectors, steps: steps, halt: halt,
        using: &generator)
    }
    return tasks.compactMap(\.measure)
  }

  /// One end of the spectra.
  public enum End: Sendable { case fiedler, top }

  /// The spaces at an end, of the samples where it is known.
  private func spaces(_ end: End) -> [Eigenspace] {
    samples.map { end == .fiedler ? $0.fiedler : $0.top }.filter { $0.dimension > 0 }
  }

  /// How much of the eigenvectors at an end lies in each stalk z₁, a₁, …, by sample that is known; the sum over
  /// stalks is 1.
  public func blockEnergies(_ end: End) -> [(block: String, energies: [Double])] {
    let energies = spaces(end).map(\.energies)
    return blocks.map { block in
      (block.name, energies.map { e in block.rows.reduce(0) { $0 + e[$1] } })
    }
  }

  /// The mean over samples of v_i² at each free coordinate, in the order of ω.
  public func neuronEnergies(_ end: End) -> [Double] {
    let energies = spaces(end).map(\.energies)
    guard let n = energies.first?.count else { return [] }
    return (0..<n).map { i in energies.reduce(0) { $0 + $1[i] } / Double(energies.count) }
  }

  /// The mean of |cos| between the eigenvectors of samples i < j: 1 where they are all the same; nil for a single sample.
  public func stability(_ end: End) -> Double? {
    let spaces = spaces(end)
    var (sum, count) = (0.0, 0)
    for (i, space) in spaces.enumerated() {
      for other in spaces.prefix(i) {
        sum += space.cosine(with: other)
        count += 1
      }
    }
    return count > 0 ? sum / Double(count) : nil
  }
}
