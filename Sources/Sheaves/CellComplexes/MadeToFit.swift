/// What is made of parts that were made to fit: an error would be a fault of ours.
package func madeToFit<Result>(_ make: () throws -> Result) -> Result {
  do { return try make() } catch { preconditionFailure("\(error)") }
}
