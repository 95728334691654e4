import Foundation

/// Standard output and standard error, where a write may fail.
enum StandardStreams {
  /// Gives every stream that the caller closed a descriptor that is not a file's, so that no file opened later
  /// takes what is printed.
  static func open() {
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // Writing to standard output then fails, as it should; what nobody hears of errors is lost.
      _ = Foundation.open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Prints text on standard output, all of it.
  static func print(_ text: String) throws(WorkFailure) {
    guard let problem = write(text + "\n", to: STDOUT_FILENO) else { return }
    throw WorkFailure(description: "standard output: cannot be written: \(problem)")
  }

  /// Says something on standard error.
  static func note(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Whether standard error is a terminal.
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) != 0 }

  /// Writes all of a text; what the system says if it cannot.
  private static func write(_ text: String, to descriptor: Int32) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Foundation.write(
          descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          // A pipe that does not block: wait until it takes more.
          var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&request, 1, -1)
        } else if errno != EINTR {
          return errno == EBADF ? "it is closed" : String(cString: strerror(errno))
        }
      }
      return nil
    }
  }
}
