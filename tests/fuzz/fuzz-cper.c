/*
 * Fuzzer of the CPER reader: check, walk, decode
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined.  Without it,
 * built with -DFUZZ_STANDALONE, a program that runs the files it is given:
 * a corpus as a regression test, for any compiler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/acpi/apei/cper.h"

/* libFuzzer calls it by this name */
typedef int FuzzTarget(const uint8_t *data, size_t size);
FuzzTarget LLVMFuzzerTestOneInput;

typedef struct Walk {
    const uint8_t *block;
    size_t size;
    unsigned sections;
    CperBlock copy;             /* the block, written again */
    bool copied;
} Walk;

/* volatile, so that no read of the input is optimized away */
static volatile unsigned sink;

/* Whatever the type of the section is, read it as if it were this one */
static void read_arm_processor(const CperSection *s)
{
    uint8_t buf[CPER_BLOCK_HEADER_SIZE + CPER_ENTRY_HEADER_SIZE +
                CPER_ARM_PROCESSOR_SIZE +
                CPER_ARM_ERR_INFO_MAX * CPER_ARM_ERROR_INFO_SIZE];
    const CperEntry e = { .severity = CPER_SEVERITY_RECOVERABLE };
    const char *why = NULL;
    CperArmProcessor a;
    CperBlock b;
    unsigned i;

    if (!cper_arm_processor_decode(s->data, s->data_length, &a, &why)) {
        g_assert(why);
        return;
    }
    g_assert(a.context_info_offset <= s->data_length);
    g_assert(a.context_info_offset + a.context_info_size ==
             a.vendor_info_offset);
    g_assert(a.vendor_info_offset + a.vendor_info_size == s->data_length);

    for (i = 0; i < MIN(a.err_info_num, CPER_ARM_ERR_INFO_MAX); i++) {
        const CperArmErrorInfo *info = &a.err_info[i];
        uint64_t once, twice;
        CperArmError error;

        if (cper_arm_error_decode(info->type, info->error_information,
                                  &error)) {
            /* only what is not valid may get lost */
            g_assert(cper_arm_error_encode(info->type, &error, &once));
            g_assert(!(once & ~info->error_information));
            g_assert(cper_arm_error_decode(info->type, once, &error));
            g_assert(cper_arm_error_encode(info->type, &error, &twice));
            g_assert(once == twice);
        }
    }

    cper_block_init(&b, buf, sizeof(buf));
    g_assert(cper_block_add_arm_processor(&b, &e, &a) ==
             (a.err_info_num <= CPER_ARM_ERR_INFO_MAX));
    if (b.entries) {
        g_assert(cper_block_check(buf, cper_block_finish(&b), NULL));
    }
}

static bool read_section(const CperSection *s, void *opaque)
{
    Walk *walk = opaque;
    size_t end = walk->size - (s->data - walk->block);
    CperMemoryError m;
    uint32_t i;

    g_assert(s->index == walk->sections);
    g_assert(s->type == walk->block + s->offset);
    g_assert(s->data_length <= end);
    for (i = 0; i < s->data_length; i++) {
        sink += s->data[i];
    }
    if (cper_memory_decode(s->data, s->data_length, &m)) {
        for (i = 0; i < CPER_MEMORY_FIELDS; i++) {
            sink += cper_memory_field_get(&m, &cper_memory_fields[i]);
        }
    }
    read_arm_processor(s);
    walk->copied &= cper_block_add_section(&walk->copy, &s->entry, s->type,
                                           s->data, s->data_length);
    walk->sections++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* the old entry header is shorter, hence more room for the copy */
    size_t copy_size = size + size / CPER_ENTRY_HEADER_SIZE_OLD * 8 + 20;
    g_autofree uint8_t *copy = g_malloc(copy_size);
    Walk walk = { .block = data, .size = size, .copied = true };
    const char *why = NULL;
    bool walked, taken;
    size_t length;

    cper_block_init(&walk.copy, copy, copy_size);
    walked = cper_block_foreach(data, size, read_section, &walk, &why);
    g_assert(walked == !why);

    why = NULL;
    taken = cper_block_check(data, size, &why);
    g_assert(taken == !why);
    g_assert(walked || !taken);
    length = cper_block_length(data, size);
    g_assert(length <= size);

    if (taken) {
        uint32_t status = ldl_le_p(data);

        g_assert(length >= CPER_BLOCK_HEADER_SIZE);
        g_assert((status & CPER_BLOCK_ENTRY_COUNT_MASK) >>
                 CPER_BLOCK_ENTRY_COUNT_SHIFT == walk.sections);
        /* what is good can be written again, and is good again */
        g_assert(walk.copied);
        length = cper_block_finish(&walk.copy);
        g_assert(ldl_le_p(copy + 12) == ldl_le_p(data + 12));
        if (walk.sections) {
            g_assert(cper_block_check(copy, length, NULL));
        }
    }
    return 0;
}

#ifdef FUZZ_STANDALONE
int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        g_autoptr(GError) err = NULL;
        g_autofree char *data = NULL;
        gsize size;

        if (!g_file_get_contents(argv[i], &data, &size, &err)) {
            fprintf(stderr, "%s\n", err->message);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
#endif
