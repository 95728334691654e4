import ArgumentParser
import Foundation

/// The manual, written from the declarations of the options themselves, so it is never out of date.
struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the manual: a page for man, or Markdown.",
    discussion: "Example: sheaf manual | man -l -", shouldDisplay: false)

  @Flag(help: "Options as Markdown instead of a page for man.") var markdown = false

  func run() throws {
    let sheaf = try CommandDescription.ofSheaf()
    try StandardStreams.print(markdown ? OptionReference.text(sheaf) : ManualPage.text(sheaf))
  }
}
