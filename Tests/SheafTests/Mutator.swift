import Foundation
import LinearAlgebra
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Seeded damage to files: one to three mutations of a seed file.
struct Mutator {
  let seeds: [[UInt8]]
  private var generator = RandomGenerator(seed: 0)
  private var bytes: [UInt8] = []

  init(seeds: [Data]) { self.seeds = seeds.map { [UInt8]($0) } }

  /// The damaged file of a seed.
  mutating func file(_ seed: UInt64) -> Data {
    generator = RandomGenerator(case: seed)
    bytes = pick(seeds)
    for _ in 0..<max(1, below(4)) { mutate() }
    return Data(bytes)
  }

  private static let values: [UInt8] =
    [0, 1, 0x7f, 0x80, 0xff] + Array("{}[]()\",':\\-.0 \n".utf8)
  private static let integers: [UInt64] = [
    0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, 1 << 40, 1 << 60, 1 << 62, 1 << 63,
    UInt64(Int64.max), .max,
  ]
  private static let numbers = [
    "0", "1", "-1", "3.5", "1e3", "-0", "007", "4294967296", "2305843009213693952",
    "4611686018427387904", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "99999999999999999999999", "1e400",
  ]

  private mutating func mutate() {
    switch below(10) {
    case 0: if !bytes.isEmpty { bytes[place()] ^= 1 << UInt8(below(8)) }
    case 1: if !bytes.isEmpty { bytes[place()] = pick(Self.values) }
    case 2:
      let value = pick(Self.integers) &+ UInt64(below(2)) &- UInt64(below(2))
      let start = place()
      for k in 0..<1 << below(4) where start + k < bytes.count {
        bytes[start + k] = UInt8(truncatingIfNeeded: value >> UInt64(8 * k))
      }
    case 3:
      let inserted = (0...below(8)).map { _ in pick(Self.values) }
      bytes.insert(contentsOf: inserted, at: place())
    case 4: bytes.removeSubrange(chunk(of: bytes))
    case 5: bytes.removeSubrange(place()...)
    case 6:
      let other = pick(seeds)
      bytes.replaceSubrange(chunk(of: bytes), with: other[chunk(of: other)])
    case 7: bytes.insert(contentsOf: bytes[chunk(of: bytes)], at: place())
    default: replaceNumber()
    }
  }

  /// Replaces the digits after some place.
  private mutating func replaceNumber() {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let from = place()
    guard let start = bytes[from...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: Array(pick(Self.numbers).utf8))
  }

  private mutating func below(_ n: Int) -> Int { Int(generator.next() % UInt64(max(n, 1))) }
  private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

  /// A place in the file, more often than not near its ends: that is where headers stand.
  private mutating func place() -> Int {
    let near = min(bytes.count, 256)
    switch below(3) {
    case 0: return below(near)
    case 1: return max(0, bytes.count - 1 - below(near))
    default: return below(bytes.count)
    }
  }

  private mutating func chunk(of bytes: [UInt8]) -> Range<Int> {
    let start = below(bytes.count)
    return start..<min(bytes.count, start + 1 << below(10))
  }
}

/// Calls `body` with `count` damaged files and the seed of each.
func mutations(
  of seeds: [Data], count: Int, seed: UInt64, body: (_ seed: UInt64, _ file: Data) throws -> Void
) rethrows {
  var mutator = Mutator(seeds: seeds)
  for i in 0..<UInt64(count) { try body(seed &+ i, mutator.file(seed &+ i)) }
}

/// The number of damaged files in a run, by the variable FUZZ_COUNT.
let fuzzCount = ProcessInfo.processInfo.environment["FUZZ_COUNT"].flatMap(Int.init) ?? 10_000
/// The seed of the first, by the variable FUZZ_SEED.
let fuzzSeed = ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 0

/// Reads `count` damaged files: each gives a value or an error, in less than a second of processor
/// time, and the process grows by less than 1 GB, what other tests take at the time included.
///
/// If a file ends the process, its seed stands in the file that was announced, and
/// `FUZZ_SEED=seed FUZZ_COUNT=1` repeats it.
func fuzz(
  name: String, seeds: [Data], count: Int = fuzzCount, _ read: (Data) throws -> Void
) throws {
  for seed in seeds { try read(seed) }
  let record = NSTemporaryDirectory() + "sheaf-fuzz-\(name)-\(getpid())"
  FileHandle.standardError.write(Data("\(name): the seed at work stands in \(record)\n".utf8))
  try Data().write(to: URL(fileURLWithPath: record))
  let atWork = try #require(FileHandle(forWritingAtPath: record))
  let memory = try peakMemory()
  var (accepted, slowest, slowestSeed) = (0, 0.0, UInt64(0))
  try mutations(of: seeds, count: count, seed: fuzzSeed) { seed, data in
    try atWork.seek(toOffset: 0)
    try atWork.write(contentsOf: Data("\(seed)\n".utf8))
    let start = processorTime()
    if (try? read(data)) != nil { accepted += 1 }
    let time = processorTime() - start
    if time > slowest { (slowest, slowestSeed) = (time, seed) }
  }
  try FileManager.default.removeItem(atPath: record)
  let growth = try peakMemory() - memory
  print(
    "\(name): \(accepted) of \(count) damaged files accepted, slowest",
    String(format: "%.2f ms (seed \(slowestSeed)), memory +%.0f MB", 1e3 * slowest, growth))
  #expect(slowest < 1, "\(name), seed \(slowestSeed)")
  #expect(growth < 1024, "\(name), seeds \(fuzzSeed)..<\(fuzzSeed + UInt64(count))")
}

/// The largest size of the process so far, in MB. (getrusage counts what stood before exec too.)
private func peakMemory() throws -> Double {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
  let kilobytes = String(line.filter(\.isNumber))
  return try #require(Double(kilobytes)) / 1024
}

/// Seconds of this thread: other tests run beside it.
private func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
