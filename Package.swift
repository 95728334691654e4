// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "swift-sheaf",
  products: [
    .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
    .library(name: "NetworkKernels", targets: ["NetworkKernels"]),
    .library(name: "CellularSheaves", targets: ["CellularSheaves"]),
    .library(name: "NeuralSheaves", targets: ["NeuralSheaves"]),
    .library(name: "PiecewiseEnergies", targets: ["PiecewiseEnergies"]),
    .library(name: "HeatFlow", targets: ["HeatFlow"]),
    .library(name: "Equilibria", targets: ["Equilibria"]),
    .library(name: "SheafTraining", targets: ["SheafTraining"]),
    .library(name: "SheafLaws", targets: ["SheafLaws"]),
    .library(name: "ArrayFiles", targets: ["ArrayFiles"]),
    .library(name: "ModelFormats", targets: ["ModelFormats"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Figures", targets: ["Figures"]),
    .executable(name: "sheaf", targets: ["sheaf"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CKernels"),
    .target(name: "LinearAlgebra", dependencies: ["COpenBLAS", "CKernels"]),
    .target(name: "NetworkKernels", dependencies: ["LinearAlgebra", "CKernels"]),
    .target(name: "CellularSheaves", dependencies: ["LinearAlgebra"]),
    .target(
      name: "NeuralSheaves", dependencies: ["CellularSheaves", "NetworkKernels", "LinearAlgebra"]),
    .target(name: "PiecewiseEnergies", dependencies: ["NeuralSheaves", "LinearAlgebra"]),
    .target(
      name: "HeatFlow", dependencies: ["PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    .target(
      name: "Equilibria",
      dependencies: ["HeatFlow", "PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    .target(
      name: "SheafTraining",
      dependencies: [
        "Equilibria", "HeatFlow", "PiecewiseEnergies", "NeuralSheaves", "NetworkKernels",
        "LinearAlgebra",
      ]),
    .target(
      name: "SheafLaws", dependencies: ["NeuralSheaves", "LinearAlgebra"]),
    .target(name: "ArrayFiles", dependencies: ["CZip", "CZlib", "LinearAlgebra"]),
    .target(
      name: "ModelFormats",
      dependencies: [
        "ArrayFiles", "NeuralSheaves", "NetworkKernels", "LinearAlgebra",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["ONNX/onnx.proto"]),
    .target(name: "Datasets", dependencies: ["LinearAlgebra"]),
    .target(name: "Figures", dependencies: ["NeuralSheaves"]),
    .target(
      name: "SheafCommands",
      dependencies: [
        "ArrayFiles", "Datasets", "Equilibria", "Figures", "HeatFlow", "LinearAlgebra",
        "ModelFormats", "NeuralSheaves", "PiecewiseEnergies", "SheafTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "sheaf", dependencies: ["SheafCommands"]),
    .testTarget(
      name: "SheafTests",
      dependencies: [
        "ArrayFiles", "CellularSheaves", "Datasets", "Equilibria", "Figures", "HeatFlow",
        "LinearAlgebra", "ModelFormats", "NetworkKernels", "NeuralSheaves", "PiecewiseEnergies",
        "SheafCommands", "SheafLaws", "SheafTraining",
      ],
      path: "Tests/SheafTests"),
  ]
)
