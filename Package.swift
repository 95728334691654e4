// swift-tools-version: 6.1
import PackageDescription

/// A target in the folder of its floor.
func floor(
  _ floor: String, _ name: String, on dependencies: [Target.Dependency] = [],
  exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)", exclude: exclude)
}

let libraries = [
  "LinearAlgebra", "SparseFactorizations", "ExactAlgebra", "ConvexPrograms", "Distributions",
  "NetworkKernels", "CellComplexes", "CellularSheaves", "SheafCohomology", "SheafInference",
  "SheafCoarsening", "SheafPersistence",
  "NeuralSheaves", "PiecewiseEnergies", "SheafFlows", "Equilibria", "SheafDiagnostics",
  "NetworkMaps", "SheafProbability", "NetworkScales", "SheafTraining", "FaultLocation",
  "NetworkDiagnosis",
  "SheafLaws", "ArrayFiles",
  "SheafFiles", "ModelFormats",
  "Datasets", "Figures", "WebPages",
  "Reproduction", "SheafApplications",
]

let package = Package(
  name: "swift-sheaf",
  products: libraries.map { .library(name: $0, targets: [$0]) } + [
    .executable(name: "sheaf", targets: ["sheaf"])
  ],
  traits: [
    .default(enabledTraits: ["SuiteSparse", "Qhull"]),
    .trait(
      name: "SuiteSparse",
      description:
        "Sparse Cholesky, inertia and QR by SuiteSparse, whose supernodal Cholesky and QR are GPL."
    ),
    .trait(name: "Qhull", description: "Delaunay triangulations by Qhull, for alpha complexes."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/Numerics/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    floor("Numerics", "CKernels"),
    floor("Numerics", "LinearAlgebra", on: ["COpenBLAS", "CKernels"]),
    floor(
      "Numerics", "ExactAlgebra",
      on: ["LinearAlgebra", .product(name: "BigInt", package: "BigInt")]),
    floor("Numerics", "NetworkKernels", on: ["LinearAlgebra", "CKernels"]),
    .systemLibrary(
      name: "CSuiteSparse", path: "Sources/Numerics/CSuiteSparse",
      providers: [.apt(["libsuitesparse-dev"])]),
    floor(
      "Numerics", "SparseFactorizations",
      on: [
        "LinearAlgebra",
        .target(name: "CSuiteSparse", condition: .when(traits: ["SuiteSparse"])),
      ]),

    .systemLibrary(
      name: "CQhull", path: "Sources/Numerics/CQhull", pkgConfig: "qhull_r",
      providers: [.apt(["libqhull-dev"])]),

    floor("Numerics", "ConvexPrograms", on: ["LinearAlgebra", "SparseFactorizations"]),
    floor("Numerics", "Distributions"),

    floor("Sheaves", "CellComplexes", on: ["LinearAlgebra"]),
    floor("Sheaves", "CellularSheaves", on: ["CellComplexes", "LinearAlgebra"]),
    floor(
      "Sheaves", "SheafCohomology",
      on: [
        "CellComplexes", "CellularSheaves", "ExactAlgebra", "LinearAlgebra", "SparseFactorizations",
      ]),
    floor(
      "Sheaves", "SheafInference",
      on: [
        "CellComplexes", "CellularSheaves", "ConvexPrograms", "Distributions", "LinearAlgebra",
        "SheafCohomology", "SparseFactorizations",
      ]),
    floor(
      "Sheaves", "SheafCoarsening",
      on: [
        "CellComplexes", "CellularSheaves", "LinearAlgebra", "SheafCohomology",
        "SparseFactorizations",
      ]),
    floor(
      "Sheaves", "SheafPersistence",
      on: [
        "CellComplexes", "CellularSheaves", "ConvexPrograms", "ExactAlgebra", "LinearAlgebra",
        "SheafCohomology", "SparseFactorizations",
        .product(name: "BigInt", package: "BigInt"),
        .target(name: "CQhull", condition: .when(traits: ["Qhull"])),
      ]),

    floor(
      "Networks", "NeuralSheaves",
      on: ["CellComplexes", "CellularSheaves", "NetworkKernels", "LinearAlgebra"]),
    floor("Networks", "PiecewiseEnergies", on: ["NeuralSheaves", "LinearAlgebra"]),
    floor("Networks", "SheafFlows", on: ["PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    floor(
      "Networks", "Equilibria",
      on: ["SheafFlows", "PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    floor(
      "Networks", "SheafDiagnostics", on: ["PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    floor("Networks", "NetworkMaps", on: ["NeuralSheaves", "SheafInference", "LinearAlgebra"]),
    floor(
      "Networks", "SheafProbability",
      on: ["Equilibria", "PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),
    floor(
      "Networks", "NetworkScales",
      on: [
        "SheafProbability", "SheafPersistence", "Equilibria", "PiecewiseEnergies", "NeuralSheaves",
        "CellComplexes", "CellularSheaves", "LinearAlgebra",
      ]),
    floor(
      "Networks", "SheafLaws",
      on: ["Equilibria", "PiecewiseEnergies", "NeuralSheaves", "LinearAlgebra"]),

    floor(
      "Learning", "SheafTraining",
      on: [
        "SheafProbability", "Equilibria", "SheafFlows", "PiecewiseEnergies", "NeuralSheaves",
        "NetworkKernels", "LinearAlgebra",
      ]),
    floor(
      "Learning", "FaultLocation",
      on: ["SheafProbability", "SheafTraining", "NeuralSheaves", "LinearAlgebra"]),
    floor(
      "Learning", "NetworkDiagnosis",
      on: [
        "FaultLocation", "SheafDiagnostics", "SheafProbability", "SheafTraining", "Equilibria",
        "PiecewiseEnergies", "NeuralSheaves", "Distributions", "LinearAlgebra",
      ]),

    .systemLibrary(
      name: "CZip", path: "Sources/Files/CZip", pkgConfig: "libzip",
      providers: [.apt(["libzip-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/Files/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"])]),
    floor("Files", "ArrayFiles", on: ["CZip", "CZlib", "LinearAlgebra"]),
    floor(
      "Files", "ModelFormats",
      on: [
        "ArrayFiles", "NeuralSheaves", "NetworkKernels", "LinearAlgebra",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["ONNX/onnx.proto"]),
    floor(
      "Files", "SheafFiles",
      on: ["ArrayFiles", "CellComplexes", "CellularSheaves", "LinearAlgebra", "SheafInference"]),
    floor("Files", "Datasets", on: ["LinearAlgebra"]),

    floor("Command", "Figures", on: ["NeuralSheaves"]),
    floor("Command", "WebPages", on: ["CZlib"]),
    floor(
      "Command", "Reproduction",
      on: [
        "ArrayFiles", "Datasets", "Equilibria", "Figures", "LinearAlgebra", "NeuralSheaves",
        "PiecewiseEnergies", "SheafDiagnostics", "SheafFlows", "SheafTraining",
      ]),
    floor(
      "Command", "SheafApplications",
      on: [
        "CellComplexes", "CellularSheaves", "Datasets", "Distributions", "Figures", "LinearAlgebra",
        "SheafCoarsening", "SheafCohomology", "SheafInference", "SheafPersistence",
        "SparseFactorizations",
      ]),
    floor(
      "Command", "SheafCommands",
      on: [
        "ArrayFiles", "CellComplexes", "CellularSheaves", "Datasets", "Equilibria", "ExactAlgebra",
        "Distributions", "FaultLocation", "Figures", "LinearAlgebra", "ModelFormats", "NetworkMaps",
        "NetworkDiagnosis", "Reproduction",
        "SheafApplications", "SheafCoarsening", "SheafCohomology", "SheafFiles", "SheafInference",
        "SheafPersistence", "SparseFactorizations",
        "NeuralSheaves", "PiecewiseEnergies", "SheafDiagnostics", "SheafFlows",
        "SheafProbability", "SheafTraining", "WebPages",
        .product(name: "BigInt", package: "BigInt"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "sheaf", dependencies: ["SheafCommands"], path: "Sources/Command/sheaf"),
    .testTarget(
      name: "SheafTests",
      dependencies: libraries.map { .init(stringLiteral: $0) } + [
        "SheafCommands", .product(name: "BigInt", package: "BigInt"),
      ],
      path: "Tests/SheafTests"),
  ]
)
