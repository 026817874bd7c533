// LZ4 of lines: each kernel's block and checksum against the scalar one's.

#include "agreement.h"

typedef struct compressed {
    size_t length;
    uint32_t checksum;
    uint8_t bytes[1 << 14];
} compressed;

// `before`: bytes that the checksum has already.
static void compress(compressed *out, const sluice_kernel *kernel, const uint8_t *bytes, size_t length, size_t before) {
    static sluice_lz4_lines lines;
    sluice_xxh32_state content = sluice_xxh32_start();
    sluice_xxh32_add(&content, bytes, before);
    out->length = kernel->lz4_lines(&lines, bytes, length, out->bytes, sizeof out->bytes, &content);
    out->checksum = sluice_xxh32_value(&content);
    static uint8_t alone[sizeof out->bytes];
    const size_t without = kernel->lz4_lines(&lines, bytes, length, alone, sizeof alone, NULL);
    if (without != out->length || memcmp(alone, out->bytes, without) != 0) {
        const input in = {(uint8_t *)bytes, (uint32_t)length};
        disagree(kernel, "LZ4 of lines with a checksum and without", &in, before);
    }
}

void check_lz4_lines(const sluice_kernel *kernel, const input *in) {
    static compressed a, b;
    for (size_t cut = 0; cut < 40; cut += 3) {
        // No byte behind is read.
        const size_t length = in->length - cut;
        uint8_t *bytes = malloc(length);
        if (!bytes) abort();
        memcpy(bytes, in->bytes, length);
        compress(&a, scalar_kernel(), bytes, length, cut);
        compress(&b, kernel, bytes, length, cut);
        free(bytes);
        if (a.length != b.length || memcmp(a.bytes, b.bytes, a.length) != 0) disagree(kernel, "LZ4 of lines", in, cut);
        if (a.checksum != b.checksum) disagree(kernel, "checksum of lines", in, cut);
    }
}
