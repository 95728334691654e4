/// The version of the package, as `sheaf --version` prints it and files that it writes may carry it.
enum Version {
  static let number = "0.5.0"
}
