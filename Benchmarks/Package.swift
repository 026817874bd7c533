// swift-tools-version: 6.2

// The benchmark suites. A package of their own, so that nobody who uses or tests Sluice builds what they depend on.

import PackageDescription

let package = Package(
    name: "SluiceBenchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "Sluice", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", exact: "0.10.0"),
    ],
    targets: [
        .target(name: "BenchC", path: "c", linkerSettings: [.linkedLibrary("z")]),
        .executableTarget(
            name: "Suites",
            dependencies: [
                "BenchC",
                .product(name: "Sluice", package: "Sluice"), .product(name: "SluiceCore", package: "Sluice"),
                .product(name: "Benchmark", package: "benchmark"), .product(name: "SwiftCSV", package: "SwiftCSV"),
            ],
            path: "Suites",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        .executableTarget(
            name: "Scaling", dependencies: [.product(name: "Sluice", package: "Sluice")], path: "Scaling"),
    ],
    swiftLanguageModes: [.v6]
)
