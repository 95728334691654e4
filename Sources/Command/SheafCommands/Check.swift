import ArgumentParser
import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import SheafFiles

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a file is a sheaf: shapes, commuting squares, δδ = 0; and its sizes.",
    discussion: """
      Exit status 1 names the first cells that fail.
      Example: sheaf check sensors.json
      """)

  @OptionGroup var file: SheafArgument
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.prints("--json", json)
    try files.check()
    let loaded = try file.load()
    var delivery = Delivery()
    switch loaded.content {
    case .cellular(let sheaf):
      try file.refusing { try sheaf.check() }
      report(sheaf, &delivery)
    case .poset(let sheaf):
      let ranks = sheaf.poset.ranks
      let relations = sheaf.poset.below.reduce(0) { $0 + $1.count }
      if json {
        delivery.put {
          try JSONOutput.print([
            "kind": "poset", "elements": sheaf.poset.count, "relations": relations,
            "isGraded": ranks != nil, "stalks": sheaf.stalks.reduce(0, +), "isFunctor": true,
          ])
        }
      } else {
        delivery.print(
          """
          a sheaf on a poset: \(counted(sheaf.poset.count, "element")), \(counted(relations, "relation")), \
          \(ranks == nil ? "not graded" : "graded"), stalks of \(sheaf.stalks.reduce(0, +)) dimensions altogether
          all ways from an element to another agree
          """)
      }
    case .nonlinear(let sheaf):
      let relations = sheaf.poset.below.reduce(0) { $0 + $1.count }
      if json {
        delivery.put {
          try JSONOutput.print([
            "kind": "nonlinear", "elements": sheaf.poset.count, "relations": relations,
            "isAffine": sheaf.isAffine, "stalks": sheaf.stalks.reduce(0, +),
          ])
        }
      } else {
        delivery.print(
          """
          a sheaf of maps that need not be linear on a poset: \(counted(sheaf.poset.count, "element")), \
          \(counted(relations, "relation")), stalks of \(sheaf.stalks.reduce(0, +)) dimensions altogether
          all ways from an element to another agree at the points that were tried
          """)
      }
    }
    try delivery.end()
  }

  private func report(_ sheaf: CellularSheaf, _ delivery: inout Delivery) {
    let complex = sheaf.complex
    let open = complex.isComplete().count { !$0 }
    let dimensions = complex.cellCounts.indices.map { sheaf.cochainDimension($0) }
    guard !json else {
      delivery.put {
        try JSONOutput.print([
          "kind": "cellular", "cells": complex.cellCounts, "cochains": dimensions,
          "incidences": complex.incidenceCount, "openCells": open,
          "eulerCharacteristic": sheaf.eulerCharacteristic, "isWeighted": !sheaf.isUnweighted,
          "isFunctor": true,
        ])
      }
      return
    }
    let rows =
      [["dimension", "cells", "cochains"]]
      + complex.cellCounts.indices.map {
        ["\($0)", "\(complex.cellCounts[$0])", "\(dimensions[$0])"]
      }
    delivery.print(
      TextOutput.table(rows)
        + """


        \(counted(complex.incidenceCount, "incidence")), \(open == 0 ? "no open cells" : counted(open, "open cell")), Euler \
        characteristic \(sheaf.eulerCharacteristic)\(sheaf.isUnweighted ? "" : ", weighted")
        a functor: all squares commute, and δδ = 0
        """)
  }
}
