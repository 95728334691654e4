import ArrayFiles
import Foundation

/// A lock on a file that is replaced by renaming: flock on `FILE.lock` beside it. The system gives it up when
/// the process ends, however it ends.
final class FileLock {
  private let descriptor: Int32
  private let path: String

  /// Locks a file at once or not at all.
  ///
  /// - Parameter file: what is locked; it need not exist. Links are followed.
  init(_ file: String) throws(ArrayFileError) {
    path = ArrayFile.followed(file) + ".lock"
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw ArrayFileError(
          file: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        throw ArrayFileError(
          file: file, problem: "another run is using it, expected a checkpoint of its own")
      }
      // The owner before may have removed the name while we waited for nothing.
      var (held, named) = (stat(), stat())
      if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
  }

  deinit {
    unlink(path)
    close(descriptor)
  }
}
