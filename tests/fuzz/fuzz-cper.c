/*
 * Fuzzer of the check of CPER blocks, which takes what is given to ras-inject,
 * kind "cper": what it lets through, a guest can read
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined.  Without it,
 * built with -DFUZZ_STANDALONE, a program that runs the files it is given:
 * a corpus as a regression test, for any compiler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "tests/unit/oracle/cper-reader.h"

/* libFuzzer calls it by this name */
typedef int FuzzTarget(const uint8_t *data, size_t size);
FuzzTarget LLVMFuzzerTestOneInput;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) reason = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    const char *why = NULL;
    bool taken = cper_block_check(data, size, &why);
    size_t length = cper_block_length(data, size);
    bool good = cper_read(data, size, &r, reason) &&
                cper_read_strict_frame(&r, reason);

    g_assert(taken == !why);
    g_assert(length <= size);
    /* the guest takes no block that is so long as this one may be */
    g_assert(taken == good || size > 65536);
    g_assert(!taken || length == r.record_length);
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
