import ArrayFiles
import Foundation
import NeuralSheaves

/// Names of outputs in the metadata of files: a list of strings in JSON.
extension Network {
  var classNamesJSON: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return String(decoding: (try? encoder.encode(classNames)) ?? Data("[]".utf8), as: UTF8.self)
  }

  mutating func setClassNames(json: String, file: String) throws(ArrayFileError) {
    guard let names = try? JSONDecoder().decode([String].self, from: Data(json.utf8)) else {
      throw ArrayFileError(
        file: file, problem: "metadata swift-sheaf.classes is not a list of strings")
    }
    try setClassNames(names, file: file)
  }

  mutating func setClassNames(_ names: [String], file: String) throws(ArrayFileError) {
    guard names.count == outputDimension else {
      throw ArrayFileError(
        file: file, problem: "\(names.count) names of classes for \(outputDimension) outputs")
    }
    classNames = names
  }
}
