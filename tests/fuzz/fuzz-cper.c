/*
 * Fuzzer of the check of CPER blocks, which takes what is given to ras-inject,
 * kind "cper": what it lets through, a guest can read
 *
 * With libFuzzer, or with standalone.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "tests/unit/oracle/cper-reader.h"
#include "fuzz.h"

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
