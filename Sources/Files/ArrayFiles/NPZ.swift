import Foundation

/// NumPy's NPZ format: a zip archive of NPY files, stored or deflated.
public enum NPZ {
  /// Reads every array of numbers of an archive, by name without `.npy`; other entries and arrays of texts
  /// are left alone.
  ///
  /// - Parameter byteLimit: the most that the arrays may take, each the larger of its bytes
  ///   unpacked and 8 bytes an element; by default 64 times the size of the file and at least
  ///   256 MiB. It is checked before an entry is unpacked, as a guard against archives that unpack
  ///   to far more than they weigh (deflation reaches 1:1032, entries may share their bytes).
  public static func read(
    _ path: String, byteLimit: Int? = nil
  ) throws(ArrayFileError) -> [String: NumericArray] {
    try readAll(path, byteLimit: byteLimit).arrays
  }

  /// Reads the arrays of numbers and those of texts, the latter in row-major order.
  public static func readAll(
    _ path: String, byteLimit: Int? = nil
  ) throws(ArrayFileError) -> (arrays: [String: NumericArray], texts: [String: [String]]) {
    let archive = try ZipReader(path)
    try refuseOthers(archive, path)
    let limit = byteLimit ?? defaultByteLimit(fileSize: archive.fileSize)
    var remaining = limit
    var arrays: [String: NumericArray] = [:]
    var texts: [String: [String]] = [:]
    for entry in archive.entries where entry.name.hasSuffix(".npy") {
      let key = String(entry.name.dropLast(4))
      let file = "\(path)#\(key.printable)"
      guard arrays[key] == nil, texts[key] == nil else {
        throw ArrayFileError(file: file, problem: "there are several arrays of this name")
      }
      guard entry.size <= remaining else {
        throw ArrayFileError(
          file: file,
          problem: "the archive unpacks to more than \(limit) bytes (save it uncompressed)")
      }
      let data = try archive.unpack(entry)
      switch try NPY.read(data, file: file, byteLimit: remaining) {
      case .numbers(let array):
        remaining -= max(data.count, 8 * array.elements.count)
        arrays[key] = array
      case .texts(let list):
        remaining -= max(data.count, 16 * list.count)
        texts[key] = list
      }
    }
    return (arrays, texts)
  }

  /// Says what archives without an array are that other programs write.
  private static func refuseOthers(_ archive: ZipReader, _ path: String) throws(ArrayFileError) {
    let names = archive.entries.map(\.name)
    guard !names.contains(where: { $0.hasSuffix(".npy") }) else { return }
    if names.contains(where: { $0.hasSuffix("data.pkl") }) {
      throw ArrayFileError(
        file: path,
        problem: "is an archive that torch.save wrote, a pickle, not an .npz file; in Python: "
          + "safetensors.torch.save_file(model.state_dict(), \"net.safetensors\") or torch.onnx.export"
      )
    }
    if names.contains("config.json") && names.contains(where: { $0.hasSuffix(".h5") }) {
      throw ArrayFileError(
        file: path,
        problem: "is a Keras archive, not an .npz file; export to ONNX (model.export or tf2onnx)")
    }
  }

  static func defaultByteLimit(fileSize: Int) -> Int { max(256 << 20, 64 * fileSize) }

  /// Writes arrays as float64, texts as `<U` and lists of whole numbers as int64, replacing the file only once it is complete.
  public static func write(
    _ arrays: [String: NumericArray], texts: [String: [String]] = [:],
    integers: [String: [Int]] = [:], to path: String,
    deflated: Bool = false
  ) throws(ArrayFileError) {
    let entries = arrays.mapValues { NPY.encode($0) }
      .merging(texts.mapValues { NPY.encode(texts: $0) }) { $1 }
      .merging(integers.mapValues { NPY.encode(integers: $0) }) { $1 }
    try ZipArchive.write(
      entries.sorted { $0.key < $1.key }.map { ($0.key + ".npy", $0.value) }, to: path,
      deflated: deflated)
  }
}
