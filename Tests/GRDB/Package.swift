// swift-tools-version: 6.2

// Streaming through a connection of GRDB's. A package of its own, so that nobody who uses or tests Sluice builds GRDB.

import PackageDescription

let package = Package(
    name: "SluiceGRDB",
    platforms: [.macOS(.v15), .iOS(.v18)],
    dependencies: [
        .package(name: "Sluice", path: "../.."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .testTarget(
            name: "SluiceGRDBTests",
            dependencies: [
                .product(name: "Sluice", package: "Sluice"), .product(name: "SluiceSQLite", package: "Sluice"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
