import Foundation
import Sluice
import TestSupport
import Testing

/// Random CSV dialects against Python's csv module: it writes what is read here, and reads what is written here.
@Suite("CSV dialects against Python")
struct CSVDialectDifferentialTests {
    private static let fileCount = 24 / step

    @Test(
        "files of random dialects are read as Python wrote them, and written as Python reads them", arguments: kernels)
    func dialects(_ kernel: KernelChoice) throws {
        let folder = TemporaryFolder()
        var random = SplitMix64(seed: 2024)
        let inputs = (0..<Self.fileCount).map { _ in Self.dialect(&random) }
        let outputs = inputs.map { input in
            // What may need quotes gets them.
            var csv = Self.dialect(&random)
            if csv.quote == nil, input.quote == nil { csv.delimiter = input.delimiter }
            if csv.quote == nil, input.quote != nil { csv.quote = "\"" }
            return csv
        }
        let all = (inputs + outputs).map { csv in
            [csv.delimiter, csv.quote, csv.escape].map { $0.map(String.init) ?? "" } + [csv.header ? "header" : ""]
        }
        try folder.write(JSONSerialization.data(withJSONObject: all), to: "dialects.json")
        try folder.python(Self.make, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            for chunkSize in [1, 1000] {
                func source() throws -> FileStreamSource {
                    let path = folder.file("\(number).csv")
                    return try FileStreamSource(path, chunkSize: chunkSize, csv: inputs[number], kernel: kernel)
                }
                let rows = try FileStreamSink(folder.file("\(number).out.jsonl"), kernel: kernel)
                try BasicStreamProcessor(source: source(), sink: rows).run()
                let csv = outputs[number]
                let sink = try FileStreamSink(folder.file("\(number).out.csv"), csv: csv, kernel: kernel)
                try BasicStreamProcessor(source: source(), sink: sink).run()
                let fromJSON = try FileStreamSink(folder.file("\(number).json.csv"), csv: csv, kernel: kernel)
                let json = try FileStreamSource(
                    folder.file("\(number).out.jsonl"), chunkSize: chunkSize, kernel: kernel)
                try BasicStreamProcessor(source: json, sink: fromJSON).run()
                try #expect(folder.data("\(number).json.csv") == folder.data("\(number).out.csv"))
            }
        }
        try folder.python(Self.check, "\(Self.fileCount)")
    }

    private static func dialect(_ random: inout SplitMix64) -> CSVOptions {
        var characters: [Character] = [",", ";", "\t", "|", ":", " ", "\"", "'", "~", "^", "\\", "x", "7"].shuffled(
            using: &random)
        var csv = CSVOptions(delimiter: characters.removeLast(), header: Bool.random(using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            csv.quote = nil
            // Cells must not have it: a common one would be none at all.
            csv.delimiter = [",", ";", "\t", "|"].randomElement(using: &random)
        case 1, 2:
            csv.quote = characters.removeLast()
            csv.escape = characters.removeLast()
        case 3: csv.quote = csv.delimiter == "\"" ? "'" : "\""
        default: csv.quote = characters.removeLast()
        }
        return csv
    }

    private static let common = #"""
        import csv, json, random, sys
        csv.field_size_limit(1 << 30)
        count = int(sys.argv[1])
        dialects = json.load(open('dialects.json', encoding='utf-8'))
        def options(number, quoting):
            delimiter, quote, escape, _ = dialects[number]
            if not quote: return dict(delimiter=delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
            return dict(delimiter=delimiter, quotechar=quote, escapechar=escape or None, doublequote=not escape, quoting=quoting)
        PIECES = ['', 'a', 'bc', ' ', ',', '"', '""', '\n', '\r\n', '\r', '\t', ';', "'", '|', ':', '~', '^', '\\', '\\\\', 'x', '7', 'é',
            '日本', '#', 'w' * 31, 'y,' * 20, 'z"' * 17, 'ü' * 33, 'long ' * 30]

        """#

    /// As Python's writer has it, or as a careless one: quotes only where a field would otherwise mean something else.
    private static let make =
        common + #"""
            def careless(field, delimiter, quote):
                if field.startswith(quote) or any(c in field for c in (delimiter, '\r', '\n')):
                    return quote + field.replace(quote, quote * 2) + quote
                return field
            for number in range(count):
                r = random.Random(4000 + number)
                delimiter, quote, escape, header = dialects[number]
                columns = r.choice([2, 3, 7])
                pieces = PIECES if quote else [p for p in PIECES if not any(c in p for c in (delimiter, '\r', '\n'))]
                def text(): return ''.join(r.choice(pieces) for _ in range(r.choice([0, 1, 1, 1, 2, 3, 5])))
                rows = [[text() for _ in range(columns)] for _ in range(r.choice([1, 30, 400]))]
                end = r.choice(['\n', '\r\n'])
                names = ['c%d' % i for i in range(columns)]
                if header: rows.insert(0, names)
                with open('%d.csv' % number, 'w', encoding='utf-8', newline='') as file:
                    if quote and not escape and r.random() < .5:
                        for row in rows: file.write(delimiter.join(careless(field, delimiter, quote) for field in row) + end)
                    else:
                        csv.writer(file, lineterminator=end, **options(number, csv.QUOTE_ALL)).writerows(rows)
                json.dump(rows, open('%d.json' % number, 'w', encoding='utf-8'))
            """#

    private static let check =
        common + #"""
            def same(a, b, *place):
                if a != b: sys.exit('%r:\n  %.600r\nis not\n  %.600r' % (place, a, b))
            for number in range(count):
                rows = json.load(open('%d.json' % number, encoding='utf-8'))
                names = rows.pop(0) if dialects[number][3] else ['column_%d' % (i + 1) for i in range(len(rows[0]))]
                with open('%d.out.jsonl' % number, encoding='utf-8', newline='\n') as file:
                    ours = [json.loads(line) for line in file]
                same(ours, [dict(zip(names, row)) for row in rows], number, 'read', dialects[number])
                with open('%d.out.csv' % number, encoding='utf-8', newline='') as file:
                    ours = list(csv.reader(file, strict=True, **options(count + number, csv.QUOTE_MINIMAL)))
                if dialects[count + number][3]: same(ours.pop(0), names, number, 'header')
                same(ours, rows, number, 'written', dialects[count + number])
            """#
}
