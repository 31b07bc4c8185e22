/*
 * Fuzzer of the readers in hw/ppc/rtas_elog.c, and of the builder with what
 * they have read
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined.  Without it,
 * built with -DFUZZ_STANDALONE, a program that runs the files it is given:
 * a corpus as a regression test, for any compiler.
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/ppc/rtas_elog.h"

/* libFuzzer calls it by this name */
typedef int FuzzTarget(const uint8_t *data, size_t size);
FuzzTarget LLVMFuzzerTestOneInput;

typedef struct Walk {
    const uint8_t *data;
    size_t size;
    int count;
} Walk;

/* volatile, so that no read of the input is optimized away */
static volatile uint8_t sink;

/* Sections must be within the data, in order, and without gap */
static bool touch(const RtasElogSection *section, void *opaque)
{
    Walk *walk = opaque;
    size_t i;

    g_assert(section->bytes == walk->data + section->offset);
    g_assert(section->length >= RTAS_ELOG_SECTION_HEAD_SIZE);
    g_assert(section->offset <= walk->size);
    g_assert(section->length <= walk->size - section->offset);
    for (i = 0; i < section->length; i++) {
        sink = section->bytes[i];
    }
    walk->count++;
    return true;
}

/* What has been read from one log, built and read again, is the same */
static void round_trip(const RtasMachineCheckLog *log)
{
    RtasMachineCheckLog again;
    uint8_t built[RTAS_ELOG_MC_LOG_SIZE];
    size_t size = rtas_elog_build_mc(built, sizeof(built), log);
    bool valid = rtas_elog_mc_valid(log, NULL);

    g_assert(size == (valid ? sizeof(built) : 0));
    if (!valid) {
        return;
    }
    g_assert(rtas_elog_check(built, size, NULL));
    g_assert(rtas_elog_decode_mc(built, size, &again, NULL));
    g_assert(again.severity == log->severity);
    g_assert(again.disposition == log->disposition);
    g_assert(again.initiator == log->initiator);
    g_assert(again.target == log->target);
    g_assert(again.mc_type == log->mc_type);
    g_assert(again.processor_id == log->processor_id);
    g_assert(again.fru_id == log->fru_id);
    g_assert(again.plid == log->plid);
    g_assert(again.has_time == log->has_time);
    g_assert(again.ra_valid == log->ra_valid && again.ra == log->ra);
    if (log->mc_type != RTAS_MC_TYPE_UE || log->ra_valid) {
        g_assert(again.ea_valid == log->ea_valid && again.ea == log->ea);
    } else {
        g_assert(!again.ea_valid && !again.ea);
    }
    if (log->mc_type != RTAS_MC_TYPE_UE || log->transient) {
        g_assert(again.mc_subtype == log->mc_subtype);
    } else {
        g_assert(!again.mc_subtype);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Walk walk = { .data = data, .size = size };
    RtasMachineCheckLog log;
    RtasElogHeader header;
    const char *why = NULL;
    int count = rtas_elog_walk(data, size, touch, &walk, &why);

    g_assert((count < 0) == (why != NULL));
    g_assert(count < 0 || count == walk.count);

    if (rtas_elog_decode_header(data, size, &header)) {
        g_assert(rtas_elog_severity_name(header.severity));
        g_assert(rtas_elog_disposition_name(header.disposition));
        g_assert(rtas_elog_entity_name(header.initiator));
        g_assert(rtas_elog_entity_name(header.target));
        g_assert(rtas_elog_type_name(header.type));
    }

    why = NULL;
    if (rtas_elog_check(data, size, &why)) {
        g_assert(!why && count >= 2);
    } else {
        g_assert(why);
    }

    if (rtas_elog_decode_mc(data, size, &log, NULL)) {
        g_assert(count >= 1);
        g_assert(rtas_mc_type_name(log.mc_type));
        g_assert(rtas_mc_subtype_name(log.mc_type, log.mc_subtype));
        round_trip(&log);
    }
    return 0;
}

#ifdef FUZZ_STANDALONE
int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *contents = NULL;
        gsize size;

        if (!g_file_get_contents(argv[i], &contents, &size, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)contents, size);
    }
    return EXIT_SUCCESS;
}
#endif
