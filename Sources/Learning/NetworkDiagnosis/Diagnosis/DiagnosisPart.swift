/// A part of a diagnosis.
public enum DiagnosisPart: String, Sendable, CaseIterable {
  /// Loss, accuracy, calibration, worst samples.
  case fit
  /// Labels that look wrong.
  case suspects
  /// Inputs unlike those of training.
  case unfamiliar
  /// Neurons, layers, weights.
  case neurons
  /// Discord at the clamped equilibrium.
  case discord
  /// Spectra of the restricted Laplacian.
  case spectra
  /// Derivatives, distances, counterfactuals.
  case robustness
  /// Location of a change.
  case changed
  /// Comparison with another network.
  case compared
}

/// A part that was left out, and why.
public struct SkippedPart: Sendable, Equatable {
  /// Why a part was left out.
  public enum Reason: Sendable, Equatable {
    /// Nobody asked for it.
    case notAsked
    /// What the outputs should be is not known.
    case needsTargets
    /// The classes of the samples are not known, or outputs are no classes.
    case needsClasses
    /// Neither training inputs nor statistics of them.
    case needsTraining
    /// No outputs of a reference.
    case needsReference
    /// No other network.
    case needsOther
    /// Something about network or samples, in words.
    case other(String)
  }

  /// The part.
  public let part: DiagnosisPart
  /// Why.
  public let reason: Reason
}
