// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "swift-sheaf", path: "..")],
  targets: [
    .target(name: "CAllocationCounter"),
    .target(name: "CDenseSpectrum"),
    .target(
      name: "CSparseRivals", cSettings: [.unsafeFlags(["-O3"])],
      linkerSettings: [.linkedLibrary("cholmod")]),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "CAllocationCounter", "CDenseSpectrum", "CSparseRivals",
        .product(name: "ArrayFiles", package: "swift-sheaf"),
        .product(name: "CellComplexes", package: "swift-sheaf"),
        .product(name: "CellularSheaves", package: "swift-sheaf"),
        .product(name: "SheafCoarsening", package: "swift-sheaf"),
        .product(name: "SheafCohomology", package: "swift-sheaf"),
        .product(name: "SheafInference", package: "swift-sheaf"),
        .product(name: "ExactAlgebra", package: "swift-sheaf"),
        .product(name: "SparseFactorizations", package: "swift-sheaf"),
        .product(name: "Datasets", package: "swift-sheaf"),
        .product(name: "Equilibria", package: "swift-sheaf"),
        .product(name: "FaultLocation", package: "swift-sheaf"),
        .product(name: "SheafFlows", package: "swift-sheaf"),
        .product(name: "LinearAlgebra", package: "swift-sheaf"),
        .product(name: "ModelFormats", package: "swift-sheaf"),
        .product(name: "NetworkDiagnosis", package: "swift-sheaf"),
        .product(name: "NetworkKernels", package: "swift-sheaf"),
        .product(name: "NeuralSheaves", package: "swift-sheaf"),
        .product(name: "PiecewiseEnergies", package: "swift-sheaf"),
        .product(name: "SheafDiagnostics", package: "swift-sheaf"),
        .product(name: "SheafPersistence", package: "swift-sheaf"),
        .product(name: "SheafProbability", package: "swift-sheaf"),
        .product(name: "SheafTraining", package: "swift-sheaf"),
      ]),
  ]
)
