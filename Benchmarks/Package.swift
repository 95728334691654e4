// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "swift-sheaf", path: "..")],
  targets: [
    .target(name: "CAllocationCounter"),
    .target(name: "CDenseSpectrum"),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "CAllocationCounter", "CDenseSpectrum",
        .product(name: "ArrayFiles", package: "swift-sheaf"),
        .product(name: "Datasets", package: "swift-sheaf"),
        .product(name: "Equilibria", package: "swift-sheaf"),
        .product(name: "SheafFlows", package: "swift-sheaf"),
        .product(name: "LinearAlgebra", package: "swift-sheaf"),
        .product(name: "ModelFormats", package: "swift-sheaf"),
        .product(name: "NetworkKernels", package: "swift-sheaf"),
        .product(name: "NeuralSheaves", package: "swift-sheaf"),
        .product(name: "PiecewiseEnergies", package: "swift-sheaf"),
        .product(name: "SheafDiagnostics", package: "swift-sheaf"),
        .product(name: "SheafTraining", package: "swift-sheaf"),
      ]),
  ]
)
