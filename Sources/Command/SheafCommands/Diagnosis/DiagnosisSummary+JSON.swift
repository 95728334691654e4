import Foundation
import NetworkDiagnosis
import NeuralSheaves

/// The diagnosis as an object.
extension DiagnosisSummary {
  var json: [String: Any] {
    let d = diagnosis
    var object: [String: Any] = [
      "network": name, "samples": count,
      "classes": network.classNames,
      "summary": lines.map {
        ["severity": $0.severity.rawValue, "part": $0.part.rawValue, "text": $0.text]
      },
      "findings": d.findings.map { finding in
        [
          "kind": finding.kind.rawValue, "where": finding.vertex,
          "coordinates": finding.coordinates, "areChannels": finding.areChannels,
          "evidence": finding.evidence, "share": JSONOutput.number(finding.share),
        ] as [String: Any]
      },
      "skipped": skipped.map { ["part": $0.part.rawValue, "why": $0.why] },
    ]
    if let fit { object["fit"] = fit }
    if let discord = d.discord {
      object["edges"] = edges(discord)
      object["clamped"] =
        [
          "samples": discord.samples.count,
          "unsettled": discord.unsettled,
          "status": discord.statuses.first { $0 != .converged }?.rawValue ?? "converged",
        ] as [String: Any]
    }
    if let suspects = d.suspects {
      // Those that look wrong, and the next in the ranking for whoever wants to look at more.
      let listed = Set(suspects.suspects)
      let rest = suspects.ranking.filter { !listed.contains($0) }.prefix(max(0, 50 - listed.count))
      object["suspectLabels"] = (suspects.suspects + rest).map {
        suspect($0, suspects, isListed: listed.contains($0))
      }
      object["labelNoise"] = labelNoise(suspects)
    }
    if let familiarity = d.familiarity {
      object["unfamiliar"] = unfamiliar(familiarity)
      object["familiarity"] = [
        "scores": familiarity.scores.map(JSONOutput.number), "pValues": familiarity.pValues,
        "calibrationCount": familiarity.calibrationCount, "isShort": familiarity.isShort,
      ]
    }
    if let spectrum = d.spectrum {
      object["spectra"] = [
        "samples": d.spectrumSamples,
        "gap": spectrum.samples.map { JSONOutput.number($0.gap) },
        "largest": spectrum.samples.map { JSONOutput.number($0.top.value) },
        "logDeterminant": JSONOutput.number(spectrum.logDeterminant),
      ]
    }
    if let robustness = d.robustness { object["robustness"] = self.robustness(robustness) }
    if let neurons = d.neurons { object["stalks"] = stalks(neurons) }
    if let change = d.change {
      object["changed"] = [
        "relative": JSONOutput.number(change.difference.relative),
        "layers": change.ranking.entries.map {
          ["layer": $0.layer, "stiffness": JSONOutput.number($0.stiffness)] as [String: Any]
        }, "pValue": JSONOutput.number(change.test?.pValue), "doubts": change.ranking.doubts,
      ]
    }
    if let relative = d.unchanged {
      object["changed"] =
        [
          "relative": relative, "layers": [Any](), "pValue": NSNull(), "doubts": [String](),
        ] as [String: Any]
    }
    if let difference = d.difference { object["compared"] = compared(difference) }
    return object
  }

  private var fit: [String: Any]? {
    guard let fit = diagnosis.fit else { return nil }
    var object: [String: Any] = ["loss": JSONOutput.number(fit.loss)]
    if let own = fit.classification {
      object["accuracy"] = own.accuracy
      object["confusion"] = (0..<own.confusion.rows).map { i in
        (0..<own.confusion.columns).map { Int(own.confusion[i, $0]) }
      }
    }
    if let explained = fit.explained { object["explained"] = explained.map(JSONOutput.number) }
    if let calibration = diagnosis.calibration {
      object["calibration"] = [
        "expectedError": JSONOutput.number(calibration.expectedError),
        "overconfidence": JSONOutput.number(calibration.overconfidence),
        "pValue": calibration.pValue, "temperature": JSONOutput.number(calibration.temperature),
        "bins": calibration.bins.filter { $0.count > 0 }.map {
          [
            "from": $0.range.lowerBound, "to": $0.range.upperBound, "count": $0.count,
            "confidence": $0.confidence, "accuracy": $0.accuracy,
          ] as [String: Any]
        },
      ]
    }
    let listed = diagnosis.listedDiscord
    object["worst"] = diagnosis.worst.map { j in
      var sample: [String: Any] = ["sample": j, "loss": JSONOutput.number(fit.losses[j])]
      if let own = fit.classification {
        sample["given"] = className(own.given[j])
        sample["predicted"] = className(own.predicted[j])
        sample["margin"] = JSONOutput.number(own.margins[j])
      }
      if let listed, let k = listed.samples.firstIndex(of: j) {
        sample["clampedEnergy"] = JSONOutput.number(listed.energies[k])
        if !listed.flipEnergies.isEmpty {
          sample["flipEnergy"] = JSONOutput.number(listed.flipEnergies[k])
        }
      }
      return sample
    }
    return object
  }

  private func edges(_ discord: ClampedDiscord) -> Any {
    zip(
      zip(discord.report.edges, discord.expected), network.tensorNames(of: discord.report)
    ).map { pair, tensor in
      let (edge, expected) = pair
      var object: [String: Any] = [
        "edge": edge.edge, "kind": edge.kind.rawValue, "layer": edge.layer,
        "discord": JSONOutput.number(edge.discord), "expected": JSONOutput.number(expected),
      ]
      if let tensor { object["tensor"] = tensor }
      return object
    }
  }

  private func suspect(
    _ j: Int, _ suspects: SuspectLabels, isListed: Bool
  ) -> [String: Any] {
    let given = diagnosis.samples.classes![j]
    var object: [String: Any] = [
      "sample": j, "isSuspect": isListed, "given": className(given),
      "proposed": className(suspects.noise.proposed[j]),
      "score": JSONOutput.number(suspects.noise.surprises[j]),
      "crossEntropy": JSONOutput.number(suspects.crossEntropies[j]),
      "pValue": JSONOutput.number(suspects.noise.pValues[j]),
      "chance": JSONOutput.number(suspects.noise.chances[j]),
      "robustScore": JSONOutput.number(suspects.robustScores[j]),
    ]
    if !suspects.mahalanobisGaps.isEmpty {
      object["mahalanobisGap"] = JSONOutput.number(suspects.mahalanobisGaps[j])
    }
    if !suspects.flipEnergies.isEmpty {
      object["flipEnergy"] = JSONOutput.number(suspects.flipEnergies[j])
    }
    if !suspects.averagedFlipEnergies.isEmpty {
      object["averagedFlipEnergy"] = JSONOutput.number(suspects.averagedFlipEnergies[j])
    }
    if let listed = diagnosis.listedDiscord, let k = listed.samples.firstIndex(of: j) {
      object["edges"] = listed.leadingEdges(ofSample: k).map {
        [
          "edge": listed.report.edges[$0.edge].edge, "share": JSONOutput.number($0.share),
        ] as [String: Any]
      }
    }
    return object
  }

  private func labelNoise(_ suspects: SuspectLabels) -> [String: Any] {
    let source =
      switch suspects.source {
      case .crossValidation(let folds): "cross-validation in \(folds) folds"
      case .network(let why): "the network itself: \(why)"
      }
    return [
      "accuracy": suspects.accuracy, "rate": suspects.noise.rate,
      "temperature": 1 / suspects.noise.inverseTemperature,
      "source": source, "falseDiscoveryRate": suspects.falseDiscoveryRate,
      "isByClass": suspects.noise.transitions != nil, "isByDistance": suspects.isByDistance,
      "unjudged": suspects.unjudged,
      "scores": suspects.noise.surprises.map(JSONOutput.number),
      "crossEntropies": suspects.crossEntropies.map(JSONOutput.number),
    ]
  }

  private func unfamiliar(_ familiarity: Familiarity) -> Any {
    func name(_ vertex: Int?) -> Any {
      vertex.map { network.vertices[$0].name } as Any? ?? NSNull()
    }
    return familiarity.unfamiliar.map { j in
      [
        "sample": j, "score": JSONOutput.number(familiarity.scores[j]),
        "pValue": familiarity.pValues[j],
        "tailPValue": familiarity.tailPValues[j],
        "stalk": name(familiarity.firstStalks[j]), "lastStalk": name(familiarity.lastStalks[j]),
      ] as [String: Any]
    }
  }

  private func robustness(_ robustness: RobustnessReport) -> [String: Any] {
    let sensitivity = robustness.sensitivity
    var object: [String: Any] = [
      "largestSingularValue": JSONOutput.number(
        Statistics(sensitivity.singularValues.map { $0.first ?? 0 }).median),
      "gradientNorm": JSONOutput.number(Statistics(sensitivity.gradientNorms).median),
      "counterfactuals": zip(robustness.counterfactualSamples, robustness.counterfactuals).map {
        j, found in
        [
          "sample": j, "distance": JSONOutput.number(found.distance),
          "input": found.input.map(JSONOutput.number),
          "output": found.output.map(JSONOutput.number), "status": found.status.rawValue,
          "wanted": found.wantedClass.map(className) as Any? ?? NSNull(),
          "isReached": found.isReached,
        ] as [String: Any]
      },
    ]
    if let distances = robustness.distances {
      object["distances"] = zip(robustness.distanceSamples, distances.entries).map { j, entry in
        [
          "sample": j, "predicted": className(entry.predicted), "rival": className(entry.rival),
          "linear": JSONOutput.number(entry.linear), "reached": JSONOutput.number(entry.reached),
          "isExact": entry.isExact,
        ] as [String: Any]
      }
    }
    return object
  }

  private func stalks(_ neurons: NeuronReport) -> Any {
    network.vertices.indices.map { v in
      [
        "stalk": network.vertices[v].name, "dimension": network.vertices[v].dimension,
        "size": JSONOutput.number(neurons.sizes.sizes[v]),
        "spread": JSONOutput.number(neurons.sizes.spreads[v]),
        "gradient": JSONOutput.number(neurons.sizes.gradients[v]),
        "rank": neurons.dimensions[v].rank,
        "participation": JSONOutput.number(neurons.dimensions[v].participation),
      ] as [String: Any]
    }
  }

  private func compared(_ difference: NetworkDifference) -> [String: Any] {
    var object: [String: Any] = [
      "relative": JSONOutput.number(difference.relative),
      "disagreements": difference.disagreements.map { j in
        [
          "sample": j, "own": className(difference.predicted[j].own),
          "other": className(difference.predicted[j].other),
        ] as [String: Any]
      },
      "layers": difference.layers.map {
        ["layer": $0.name, "discrepancy": JSONOutput.number($0.discrepancy)] as [String: Any]
      },
      "pValue": JSONOutput.number(difference.pValue),
    ]
    if let right = difference.onlyRight {
      object["onlyOwnRight"] = right.own
      object["onlyOtherRight"] = right.other
    }
    return object
  }
}
