/*
 * In place of libFuzzer, for any compiler: runs the files that it is given, a
 * corpus as a regression test.
 *
 * With libFuzzer it is left out: clang -fsanitize=fuzzer,address,undefined.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
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
