// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "Sluice",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "Sluice", targets: ["Sluice"]),
        .library(name: "SluiceSQLite", targets: ["SluiceSQLite"]),
        .library(name: "SluiceCore", targets: ["CSluice", "SwiftKernel"]),
        .executable(name: "sluice", targets: ["SluiceTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .systemLibrary(
            name: "CSluiceZlib", path: "CSources/CSluiceZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CSluiceISAL", path: "CSources/CSluiceISAL", pkgConfig: "libisal",
            providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
        .systemLibrary(
            name: "CSluiceLZ4", path: "CSources/CSluiceLZ4", pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        // With no pkg-config there is nobody else to ask for zlib and LZ4; codec_gzip_engine.h asks for ISA-L where it is used.
        .target(
            name: "CSluice", dependencies: ["CSluiceZlib", "CSluiceISAL", "CSluiceLZ4"], path: "CSources/CSluice",
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("lz4")]),
        .systemLibrary(
            name: "CSluiceSQLite3", path: "CSources/CSluiceSQLite3", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(
            name: "CSluiceSQLite", dependencies: ["CSluice", "CSluiceSQLite3"], path: "CSources/CSluiceSQLite",
            linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CSluiceSystem", path: "CSources/CSluiceSystem"),
        .target(name: "SwiftKernel", dependencies: ["CSluice"], swiftSettings: strict),
        .target(name: "Sluice", dependencies: ["CSluice", "SwiftKernel", "CSluiceSystem"], swiftSettings: strict),
        .target(name: "SluiceSQLite", dependencies: ["Sluice", "CSluiceSQLite"], swiftSettings: strict),
        .executableTarget(
            name: "SluiceTool",
            dependencies: [
                "Sluice", "SluiceSQLite", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "sluice-example1", dependencies: ["Sluice"], path: "Examples/CSVToJSONLines", swiftSettings: strict),
        .executableTarget(
            name: "sluice-example2", dependencies: ["Sluice"], path: "Examples/ParallelProcessing",
            swiftSettings: strict),
        .executableTarget(
            name: "sluice-example-etl", dependencies: ["Sluice", "SluiceSQLite"], path: "Examples/DatabaseETL",
            swiftSettings: strict),
        .executableTarget(
            name: "bench-typed", dependencies: ["Sluice"], path: "Benchmarks/typed", swiftSettings: strict),
        .executableTarget(name: "bench-sqlite", dependencies: ["CSluiceSQLite3"], path: "Benchmarks/sqlite"),
        .executableTarget(name: "bench-jsondecoder", path: "Benchmarks/jsondecoder", swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "KernelAgreement", dependencies: ["CSluice"], path: "Tests/KernelAgreement",
            exclude: ["main.c", "fuzz.c"],
            publicHeadersPath: "."),
        .testTarget(
            name: "CSluiceTests",
            dependencies: ["CSluice", "SwiftKernel", "KernelAgreement", "CSluiceLZ4", "TestSupport"],
            swiftSettings: strict),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "SluiceTests",
            dependencies: [
                "Sluice", "SluiceSQLite", "SluiceTool", "CSluiceSQLite3", "AllocationCounter", "TestSupport",
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
