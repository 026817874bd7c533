import Foundation
import Sluice
import Testing

/// The tool against Python's csv, json and gzip, on random files.
///
/// A program of Python makes the files from a seed; the tool converts each of them in all its settings, which have to agree
/// to the byte; another program reads what went in and what came out, with Python's own parsers, and compares record by
/// record.
@Suite("The tool against Python")
struct DifferentialTests {
    /// Random files of each kind: the one number to turn for more or less of everything here.
    private static let fileCount = 16 / step

    /// What may change nothing.
    private static let settings: [[String]] = kernelNames.flatMap { kernel in
        (step == 1 ? ["1", "3", "1000"] : ["3"]).map { ["--kernel", kernel, "--chunk-size", $0] }
    }

    /// Converts `input` in all settings to `output`, which is that of the first.
    private func convert(
        _ input: String, _ output: String, _ options: [String] = [], in folder: TemporaryFolder
    ) throws {
        var first: Data?
        for setting in Self.settings {
            let arguments = ["convert", input, output] + options + setting
            let outcome = try folder.sluice(arguments)
            #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(arguments): \(outcome.messages)")
            let bytes = try folder.data(output)
            #expect(bytes == first ?? bytes, "\(arguments) differ from those of \(Self.settings[0])")
            first = first ?? bytes
        }
    }

    @Test("random CSV has the records that Python's csv module reads, as strings and typed, whole and selected")
    func csvToJSONLines() throws {
        let folder = TemporaryFolder()
        try folder.python(PythonPrograms.makeCSV, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            try convert("\(number).csv", "\(number).strings.jsonl", in: folder)
            try convert("\(number).csv", "\(number).typed.jsonl", ["--types", "infer"], in: folder)
            try convert("\(number).csv", "\(number).again.csv", in: folder)
            let count = try folder.sluice("count", "\(number).csv")
            try folder.write(count.text, to: "\(number).count")
        }
        try folder.python(PythonPrograms.checkCSV, "\(Self.fileCount)")
    }

    @Test("random JSON Lines has the values that Python's json module reads, as JSON Lines and as CSV")
    func jsonLines() throws {
        let folder = TemporaryFolder()
        try folder.python(PythonPrograms.makeJSON, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            try convert("\(number).any.jsonl", "\(number).out.jsonl", in: folder)
            try convert("\(number).objects.jsonl", "\(number).out.csv", in: folder)
            try convert("\(number).objects.jsonl", "\(number).selected.jsonl", ["--select", "b,a.x,ü"], in: folder)
        }
        try folder.python(PythonPrograms.checkJSON, "\(Self.fileCount)")
    }

    @Test("random JSON documents have the values that Python's json module reads, and are JSON again")
    func jsonDocuments() throws {
        let folder = TemporaryFolder()
        let count = 2 * Self.fileCount
        try folder.python(PythonPrograms.makeDocuments, "\(count)")
        for number in 0..<count {
            var seen: Set<Data> = []
            for (kernel, chunkSize) in kernels.flatMap({ kernel in [1, 3, 1000].map { (kernel, $0) } }) {
                let steps = [("json", "out.jsonl"), ("out.jsonl", "back.json"), ("json", "out.json")]
                for (from, to) in steps {
                    try BasicStreamProcessor(
                        source: FileStreamSource(
                            folder.file("\(number).\(from)"), chunkSize: chunkSize, kernel: kernel),
                        sink: FileStreamSink(folder.file("\(number).\(to)"), kernel: kernel)
                    ).run()
                }
                seen.insert(try steps.map { try folder.data("\(number).\($0.1)") }.reduce(Data(), +))
                let counted = try FileStreamSource(folder.file("\(number).json"), kernel: kernel).countRecords()
                #expect(try counted == FileStreamSource(folder.file("\(number).out.jsonl")).countRecords())
            }
            #expect(seen.count == 1, "file \(number): kernels and chunk sizes write different bytes")
        }
        try folder.python(PythonPrograms.checkDocuments, "\(count)")
    }

    @Test("gzip files of any members are read as Python's gzip module reads them, and ours are read by it")
    func gzip() throws {
        let folder = TemporaryFolder()
        try folder.python(PythonPrograms.makeGzip, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            try folder.convert("\(number).csv.gz", "\(number).out.csv")
            #expect(try folder.data("\(number).out.csv") == folder.data("\(number).plain"), "\(number).csv.gz")
            try folder.convert("\(number).csv.gz", "\(number).out.csv.gz", "--level", "\(number % 10)")
            let bytes = try folder.gunzip("\(number).out.csv.gz")
            #expect(bytes == (try folder.data("\(number).plain")), "\(number).out.csv.gz")
        }
        try folder.python(PythonPrograms.checkGzip, "\(Self.fileCount)")
    }

    @Test("canonical CSV comes back from JSON Lines byte for byte, gzip'd on the way or not")
    func csvRoundTrip() throws {
        let folder = TemporaryFolder()
        try folder.python(PythonPrograms.makeCanonical, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            for middle in ["middle.jsonl", "middle.jsonl.gz"] {
                try folder.convert("\(number).csv", middle)
                try folder.convert(middle, "back.csv")
                #expect(try folder.data("back.csv") == folder.data("\(number).csv"), "file \(number) through \(middle)")
            }
        }
    }

    @Test("records of strings come back from CSV")
    func jsonRoundTrip() throws {
        let folder = TemporaryFolder()
        try folder.python(PythonPrograms.makeCanonical, "\(Self.fileCount)")
        for number in 0..<Self.fileCount {
            try convert("\(number).jsonl", "middle.csv", in: folder)
            try convert("middle.csv", "\(number).back.jsonl", in: folder)
        }
        try folder.python(PythonPrograms.checkRoundTrip, "\(Self.fileCount)")
    }
}

/// Each program works on files of the current folder, numbered from 0 to its argument.
private enum PythonPrograms {
    /// Random texts: what CSV and JSON have to quote and escape, all lengths of UTF-8, and runs that fill vector registers.
    private static let common = #"""
        import csv, gzip, io, json, random, re, sys
        csv.field_size_limit(1 << 30)
        count = int(sys.argv[1])
        PIECES = ['', 'a', 'bc', ' ', ',', '"', '""', '\n', '\r\n', '\t', ';', "'", '\\', '\\n', '/', 'é', 'ß', '日本', '€', '😀',
            '\u2028', '\u0085', '\x01', '\x1f', '\x7f', '\ufeff', '\uffff', 'null', 'true', '0', '-1', '1e5', '.5', '{"a":1}', '[',
            'x' * 31, 'y,' * 20, 'z"' * 17, 'ü' * 33, 'long ' * 60]
        def text(r):
            return ''.join(r.choice(PIECES) for _ in range(r.choice([0, 1, 1, 1, 2, 3, 5, 9])))
        def write(name, content):
            with open(name, 'wb') as file: file.write(content)
        def read(name):
            with open(name, 'rb') as file: return file.read()
        def lines(name):
            content = read(name)
            assert content == b'' or content.endswith(b'\n'), name + ' ends without a line end'
            return content.decode('utf-8').split('\n')[:-1]
        def same(a, b, *place):
            if a != b: sys.exit('%r:\n  %.600r\nis not\n  %.600r' % (place, a, b))
        def quoted(cell):
            return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') else cell
        def values(line):
            pairs = lambda p: ('object', p)
            number = lambda s: ('number', s)
            return json.loads(line, parse_int=number, parse_float=number, object_pairs_hook=pairs)

        """#

    /// CSV in every style that a reader has to take: quotes where needed or not, any line ends, blank lines, a mark or none.
    static let makeCSV =
        common + #"""
            def cell(r, style):
                kind = r.random()
                value = (r.choice(['1', '-0', '0.10', '1E+5', '12345678901234567890', '007', '+1', '1.', 'true', 'false', 'null', 'NaN', ' 1', ''])
                    if kind < .3 else text(r))
                if r.random() < style['quote']: return '"' + value.replace('"', '""') + '"'
                # Without quotes, only a quote at the start would be taken for one.
                if any(c in value for c in ',\r\n') or value.startswith('"'): return quoted(value)
                return value
            for seed in range(count):
                r = random.Random(seed)
                style = {'quote': r.choice([0, .1, .5, 1])}
                columns = r.choice([1, 2, 2, 3, 5, 17, 300 if seed % 10 == 9 else 4])
                end = r.choice([['\n'], ['\r\n'], ['\n', '\r\n'], ['\r'] if columns > 1 and seed % 5 == 4 else ['\n']])
                names = ['c%d%s' % (i, text(r)) for i in range(columns)]
                out = ['\ufeff' if r.random() < .3 else '', ','.join(quoted(n) for n in names), end[0]]
                for _ in range(r.choice([0, 1, 2, 50, 400]) if columns < 100 else 40):
                    row = [cell(r, style) for _ in range(columns)]
                    if end == ['\r']: row = [c if c.startswith('"') else c.replace('\n', '') for c in row]
                    if row == ['']: row = ['""']
                    out += [','.join(row), r.choice(end)]
                    if r.random() < .05: out.append(r.choice(end) * r.choice([1, 2, 5]))
                if r.random() < .3: out.append(','.join('"last"' for _ in range(columns)))
                write('%d.csv' % seed, ''.join(out).encode('utf-8'))
            """#

    static let checkCSV =
        common + #"""
            NUMBER = re.compile(r'-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z')
            def rows(name, encoding='utf-8'):
                with open(name, encoding=encoding, newline='') as file:
                    return [row for row in csv.reader(file, strict=True) if row]
            for number in range(count):
                header, *records = rows('%d.csv' % number, 'utf-8-sig')
                strings = [values(line) for line in lines('%d.strings.jsonl' % number)]
                same(len(strings), len(records), number, 'number of records')
                for place, (ours, row) in enumerate(zip(strings, records)):
                    same(ours, ('object', list(zip(header, row))), number, place)
                again = rows('%d.again.csv' % number)
                same(again[0], header, number, 'header')
                same(again[1:], records, number, 'CSV to CSV')
                same(read('%d.count' % number), b'%d\n' % len(records), number, 'count')
                typed = [values(line) for line in lines('%d.typed.jsonl' % number)]
                same(len(typed), len(records), number, 'number of typed records')
                for place, (ours, row) in enumerate(zip(typed, records)):
                    same([name for name, _ in ours[1]], header, number, place)
                    for (name, value), cell in zip(ours[1], row):
                        if NUMBER.match(cell): same(value, ('number', cell), number, place, name)
                        elif cell in ('true', 'false'): same(value, cell == 'true', number, place, name)
                        elif cell == '': same(value in (None, ''), True, number, place, name)
                        else: same(value, cell, number, place, name)
            """#

    /// JSON with white space anywhere, escapes of all kinds, numbers of all forms and duplicate keys.
    private static let makeValues =
        common + #"""
            BLANKS = ' \t\r'
            def space(r):
                return ''.join(r.choice(BLANKS) for _ in range(r.choice([0, 0, 0, 0, 1, 3])))
            def string(r, value):
                def unit(c):
                    if c == '/' and r.random() < .5: return '\\/'
                    if ord(c) < 0x10000 and r.random() < .2: return r.choice(['\\u%04x', '\\u%04X']) % ord(c)
                    return json.dumps(c, ensure_ascii=r.random() < .5)[1:-1]
                return '"' + ''.join(map(unit, value)) + '"'
            def number(r):
                return r.choice(['0', '-0', '7', '-12', '0.5', '1.50', '1e5', '-1E+05', '2e-3', '1e400', '9007199254740993',
                    '123456789012345678901234567890', str(r.random()), str(r.randrange(-2**70, 2**70))])
            def value(r, depth):
                kind = r.random()
                if depth > 0 and kind < .2:
                    return '[' + space(r) + ','.join(space(r) + value(r, depth - 1) + space(r) for _ in range(r.randrange(4))) + ']'
                if depth > 0 and kind < .4: return members(r, [text(r) for _ in range(r.randrange(4))], depth - 1)
                if kind < .6: return number(r)
                if kind < .7: return r.choice(['null', 'true', 'false'])
                return string(r, text(r))
            def members(r, keys, depth):
                return '{' + space(r) + ','.join(
                    space(r) + string(r, k) + space(r) + ':' + space(r) + value(r, depth) + space(r) for k in keys) + '}'

            """#

    /// JSON Lines, with blank ones among them.
    static let makeJSON =
        makeValues + #"""
            KEYS = ['a', 'b', 'a.x', 'ü', 'key "quoted"', 'c,d', '', 'line\nend', '日本', 'e', 'f', 'g']
            for seed in range(count):
                r = random.Random(1000 + seed)
                end = lambda: r.choice(['\n', '\n', '\n', '\r\n', '\n\n', '\n \t\n'])
                records = r.choice([0, 1, 30, 300])
                every = [space(r) + value(r, 4) + space(r) for _ in range(records)]
                if seed % 7 == 0: every.append('[' * 512 + ']' * 512)
                write('%d.any.jsonl' % seed, ''.join(v + end() for v in every).rstrip('\n').encode('utf-8'))
                some = r.sample(KEYS, r.randrange(1, len(KEYS)))
                if 'a' not in some: some.append('a')
                objects = [members(r, [r.choice(some) if r.random() < .1 else k for k in some if r.random() < .8], 3) for _ in range(records)]
                if objects: objects[0] = members(r, some, 3)
                if len(objects) > 1: objects[1] = '{"a":{"y":1,"x":[%s]}}' % value(r, 2)
                write('%d.objects.jsonl' % seed, ('\ufeff' * (seed % 3 == 0) + ''.join(o + end() for o in objects)).encode('utf-8'))
            """#

    static let checkJSON =
        common + #"""
            STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
            def source(name):
                return [values(line) for line in read(name).decode('utf-8-sig').split('\n') if line.strip(' \t\r')]
            def cell(value, text):
                if value is None: return ''
                if value is True or value is False: return str(value).lower()
                if isinstance(value, str): return value
                if isinstance(value, tuple) and value[0] == 'number': return value[1]
                # Arrays and objects: the same value, and nothing between its tokens.
                same(values(text), value, 'compact JSON')
                same(re.search(r'\s', STRING.sub('', text)), None, text, 'white space')
                return text
            for number in range(count):
                expected = source('%d.any.jsonl' % number)
                ours = [values(line) for line in lines('%d.out.jsonl' % number)]
                same(len(ours), len(expected), number, 'number of records')
                for place, pair in enumerate(zip(ours, expected)): same(*pair, number, place)

                objects = [dict(pairs) for _, pairs in source('%d.objects.jsonl' % number)]
                columns = list(dict.fromkeys(key for record in objects for key in record))
                with open('%d.out.csv' % number, encoding='utf-8', newline='') as file:
                    rows = [row for row in csv.reader(file, strict=True)]
                same(rows[0] if rows else [], columns, number, 'columns')
                same(len(rows) - 1 if rows else 0, len(objects), number, 'number of rows')
                for place, (row, record) in enumerate(zip(rows[1:], objects)):
                    same(row, [cell(record.get(c), text) for c, text in zip(columns, row)], number, place)

                selected = [values(line) for line in lines('%d.selected.jsonl' % number)]
                same(len(selected), len(objects), number, 'number of selected records')
                for place, (ours, record) in enumerate(zip(selected, objects)):
                    kind, inner = record['a'] if isinstance(record.get('a'), tuple) else ('', [])
                    # The exact key first, then the path.
                    found = {('a.x' if k == 'x' else ''): v for k, v in inner} if kind == 'object' else {}
                    found.update(record)
                    same(ours, ('object', [(k, found[k]) for k in ('b', 'a.x', 'ü') if k in found]), number, place)
            """#

    /// JSON documents: arrays and single values, with white space anywhere or nowhere, or as Python prints them.
    static let makeDocuments =
        makeValues + #"""
            for seed in range(count):
                r = random.Random(4000 + seed)
                BLANKS = [' \t\r\n', '\n', '\n ', ''][seed % 4] or ['']
                document = value(r, 4) if seed % 3 == 0 else '[' + ','.join(
                    space(r) + value(r, 4) + space(r) for _ in range(r.choice([0, 1, 30, 400]))) + ']'
                if seed % 4 == 2:
                    finite = lambda text: float(text) if abs(float(text)) < 1e300 else 0.1
                    document = json.dumps(json.loads(document, parse_float=finite), indent=r.choice([0, 2, '\t']), ensure_ascii=seed % 8 > 3)
                write('%d.json' % seed, ('\ufeff' * (seed % 5 == 0) + space(r) + document + space(r)).encode('utf-8'))
            """#

    static let checkDocuments =
        common + #"""
            for number in range(count):
                document = values(read('%d.json' % number).decode('utf-8-sig'))
                expected = document if isinstance(document, list) else [document]
                ours = [values(line) for line in lines('%d.out.jsonl' % number)]
                for found in (ours, values(read('%d.out.json' % number)), values(read('%d.back.json' % number))):
                    same(len(found), len(expected), number, 'number of records')
                    for place, pair in enumerate(zip(found, expected)): same(*pair, number, place)
            """#

    static let makeCanonical =
        common + #"""
            for seed in range(count):
                r = random.Random(2000 + seed)
                columns = r.choice([1, 2, 3, 8])
                names = ['c%d%s' % (i, text(r)) for i in range(columns)]
                rows = [[text(r) for _ in range(columns)] for _ in range(r.choice([1, 20, 500]))]
                write('%d.csv' % seed, ''.join(('""' if row == [''] else ','.join(map(quoted, row))) + '\n' for row in [names] + rows)
                    .encode('utf-8'))
                write('%d.jsonl' % seed, ''.join(json.dumps(dict(zip(names, row)), ensure_ascii=r.random() < .5) + '\n' for row in rows)
                    .encode('utf-8'))
            """#

    static let checkRoundTrip =
        common + #"""
            for number in range(count):
                ours, expected = [[values(line) for line in lines('%d%s.jsonl' % (number, part))] for part in ('.back', '')]
                same(len(ours), len(expected), number, 'number of records')
                for place, pair in enumerate(zip(ours, expected)): same(*pair, number, place)
            """#

    /// gzip members of all sizes, empty ones too, stored and compressed, with names in them, and zeros behind the last.
    static let makeGzip =
        common + #"""
            for seed in range(count):
                r = random.Random(3000 + seed)
                plain = ('a,b\n' + ''.join(quoted(text(r)) + ',' + quoted(text(r)) + '\n' for _ in range(r.choice([0, 3, 300, 5000])))).encode('utf-8')
                cuts = sorted(r.randrange(len(plain) + 1) for _ in range(r.choice([0, 1, 2, 40])))
                packed = b''
                for start, end in zip([0] + cuts, cuts + [len(plain)]):
                    member = io.BytesIO()
                    with gzip.GzipFile(r.choice(['', 'name']), 'wb', r.randrange(10), member) as file: file.write(plain[start:end])
                    packed += member.getvalue()
                write('%d.plain' % seed, plain)
                write('%d.csv.gz' % seed, packed + bytes(r.choice([0, 0, 1, 511, 100_000])))
            """#

    static let checkGzip =
        common + #"""
            for number in range(count):
                same(gzip.decompress(read('%d.out.csv.gz' % number)), read('%d.plain' % number), number)
                same(gzip.decompress(read('%d.csv.gz' % number)), read('%d.plain' % number), number, 'input')
            """#
}
