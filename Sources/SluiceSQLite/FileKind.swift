#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is at a path, before a database is opened there.
enum FileKind {
    static func isAbsent(_ path: String) -> Bool { access(path, F_OK) != 0 }

    static func isAbsentOrEmpty(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_size == 0
    }
}
