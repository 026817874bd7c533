import Foundation
import Testing

@testable import Sluice

/// Hidden files beside the target: whose they are, and when they go.
@Suite("Hidden files of outputs")
struct AtomicFileTests {
    let folder = TemporaryFolder()

    private func write(_ text: String, to file: AtomicFile) throws {
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }

    @Test("what a killed run left goes with the next one to the same target, what somebody holds or others have stays")
    func dead() throws {
        let target = try folder.file("x.csv", "old\n")
        let dead = [".x.csv.sluice-0", ".x.csv.sluice-2", ".x.csv.sluice-7"]
        let others = [".x.csv.sluice-1", ".x.csv.sluice-9.csv", ".x.csv.sluice-x", ".y.csv.sluice-0", "x.csv.sluice-0"]
        for name in dead + others { _ = try folder.file(name, "") }
        let held = try #require(FileHandle(forReadingAtPath: folder.file(".x.csv.sluice-1")))
        #expect(flock(held.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        try FileManager.default.createDirectory(
            atPath: folder.file(".x.csv.sluice-3"), withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: folder.file(dead[0]))
        let kept = (others + [".x.csv.sluice-3", "x.csv"]).sorted()
        for isNamed in [false, true] {
            let file = try AtomicFile(target, isNamed: isNamed)
            #expect(folder.names == (isNamed ? kept + [dead[0]] : kept).sorted())
            try write("new\n", to: file)
            try file.close()
            #expect(folder.names == kept)
            #expect(try folder.text("x.csv") == "new\n")
        }
        try held.close()
    }

    @Test("writers that are alive take nothing from one another, however many and in whatever order they end")
    func alive() throws {
        let target = folder.file("x.csv")
        let files = try (0..<12).map { try AtomicFile(target, isNamed: $0 % 3 != 0) }
        for (number, file) in files.enumerated() { try write("\(number)\n", to: file) }
        for number in [5, 3, 11, 0, 8, 1, 2, 10] {
            if number % 2 == 0 { files[number].abort() } else { try files[number].close() }
            let more = try AtomicFile(target, isNamed: true)
            try write("more\n", to: more)
            more.abort()
            if number % 2 == 1 { #expect(try folder.text("x.csv") == "\(number)\n") }
        }
        for number in [4, 6, 7, 9] { try files[number].close() }
        #expect(try folder.text("x.csv") == "9\n" && folder.names == ["x.csv"])
    }

    @Test("a file whose hidden name is another's by now is not published, and the other one stays")
    func takenAway() throws {
        for end in ["close", "abort"] {
            let target = try folder.file("x.csv", "old\n")
            let file = try AtomicFile(target, isNamed: true)
            try write("new\n", to: file)
            try FileManager.default.removeItem(atPath: folder.file(".x.csv.sluice-0"))
            _ = try folder.file(".x.csv.sluice-0", "another's\n")
            if end == "abort" { file.abort() } else { #expect(streamError { try file.close() }?.code == .cannotCreate) }
            #expect(try folder.text("x.csv") == "old\n")
            #expect(try folder.text(".x.csv.sluice-0") == "another's\n")
        }
    }
}
