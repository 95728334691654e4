import Foundation

/// What a file is by its first bytes, whatever its name.
public enum FileSignature: Sendable, Equatable {
  case npy, zip, safetensors, onnx, pickle, hdf5, gzip, text, image

  /// Reads the first bytes; nil for what is none of these.
  public init?(_ data: Data) {
    let head = [UInt8](data.prefix(64))
    func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
    if head.count > 8, head[8] == UInt8(ascii: "{"), head[5...7].allSatisfy({ $0 == 0 }) {
      // The header's length below 2⁴⁰, which may begin like anything else, and the header's brace.
      self = .safetensors
    } else if begins([0x93] + Array("NUMPY".utf8)) {
      self = .npy
    } else if begins([0x50, 0x4b, 3, 4]) || begins([0x50, 0x4b, 5, 6]) {
      self = .zip
    } else if begins([0x89] + Array("HDF\r\n".utf8)) {
      self = .hdf5
    } else if begins([0x89] + Array("PNG".utf8)) || begins([0xff, 0xd8, 0xff]) {
      self = .image
    } else if begins([0x1f, 0x8b]) {
      self = .gzip
    } else if head.count >= 3, head[0] == 0x80, (2...5).contains(head[1]) {
      // The protocol's number, then the first instruction.
      self = .pickle
    } else if head.count > 4, head[0] == 0x08, (1...0x20).contains(head[1]),
      [0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42].contains(head[2])
    {
      // Field 1 of a model, its version, and then another of its fields.
      self = .onnx
    } else if !head.isEmpty,
      head.allSatisfy({ (0x20...0x7e).contains($0) || $0 >= 0x80 || (9...13).contains($0) }),
      data.prefix(64).count < 4 || String(data: data.prefix(60), encoding: .utf8) != nil
    {
      self = .text
    } else {
      return nil
    }
  }

  /// What the file is, with the way to a network or an array where it is not the usual one.
  public var summary: String {
    switch self {
    case .npy: "a NumPy array (.npy)"
    case .zip: "a zip archive, as numpy.savez (.npz) and torch.save write them"
    case .safetensors: "a safetensors file"
    case .onnx: "an ONNX file"
    case .pickle:
      "a Python pickle, as old versions of torch.save write it (in Python: "
        + "safetensors.torch.save_file(model.state_dict(), \"net.safetensors\") or torch.onnx.export)"
    case .hdf5: "an HDF5 file, as Keras writes it (export to ONNX with tf2onnx or model.export)"
    case .gzip: "compressed by gzip"
    case .text: "text"
    case .image: "an image"
    }
  }
}
