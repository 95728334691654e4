import LinearAlgebra

/// Sea-surface temperatures off Peru and Ecuador: the region Niño 1+2 (0–10° S, 80–90° W), every month from 1950 to 2010.
///
/// NOAA, Extended Reconstructed Sea Surface Temperature V3B (T. Smith, R. Reynolds, T. Peterson, J. Lawrimore, J. Climate 21,
/// 2008; public domain), in the source itself (`rows`).
public enum ElNino {
  /// The years, one for each row of `temperatures`.
  public static var years: [Int] { table.map { Int($0[0]) } }

  /// (years, 12) temperatures in °C; column m is month m + 1.
  public static var temperatures: Matrix { Matrix(table.map { Array($0.dropFirst()) }) }

  /// The temperatures one after the other, from January 1950 to December 2010, in °C.
  public static var series: [Double] { table.flatMap { $0.dropFirst() } }

  private static var table: [[Double]] {
    rows.split(separator: "\n").map { $0.split(separator: " ").compactMap { Double($0) } }
  }
}
