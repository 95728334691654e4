import LinearAlgebra

/// The 76 Cα atoms of ubiquitin, a small human protein, with how much each moves in the crystal.
///
/// Protein Data Bank, entry 1UBI (R. Ramage et al., Biochem. J. 299, 1994; public domain), in the source itself (`rows`).
public enum Ubiquitin {
  /// Places of the atoms in Å, one residue a column, (3, 76).
  public static var atoms: Matrix {
    Matrix(rows: 3, columns: table.count, columnMajor: table.flatMap { $0[..<3] })
  }

  /// The B-factors 8π²⟨u²⟩/3 of the atoms in Å², u the displacement.
  public static var temperatureFactors: [Double] { table.map { $0[3] } }

  private static var table: [[Double]] {
    rows.split(separator: "\n").map { $0.split(separator: " ").compactMap { Double($0) } }
  }
}
