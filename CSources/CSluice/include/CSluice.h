// Sluice's C core: C17, no I/O, no threads, no allocation outside *_create. Read sluice_status.h first.

#ifndef CSLUICE_H
#define CSLUICE_H

#include "sluice_column.h"
#include "sluice_csv.h"
#include "sluice_encode.h"
#include "sluice_gzip.h"
#include "sluice_json.h"
#include "sluice_kernel.h"
#include "sluice_lz4.h"
#include "sluice_lz4_lines.h"
#include "sluice_number.h"
#include "sluice_ring.h"
#include "sluice_singles.h"
#include "sluice_status.h"
#include "sluice_text.h"
#include "sluice_transcode.h"
#include "sluice_utf8.h"
#include "sluice_value.h"
#include "sluice_xxh32.h"

#endif
