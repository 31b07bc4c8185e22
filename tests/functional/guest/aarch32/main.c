/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A victim in AArch32 state: see VICTIM_AARCH32. */
#include <err.h>
#include <stdlib.h>
#include "../agent.h"

/* Nobody to meet: what init.c shares does not survive exec. */
struct meeting *meeting = &(struct meeting) { 0 };

int main(int argc, char **argv)
{
    struct victim_options options;

    if (argc != 6) {
        errx(1, "usage: %s ID MEMORY PAGES CPU HANDLER", argv[0]);
    }
    options = (struct victim_options) {
        .id = strtoul(argv[1], NULL, 10),
        .memory = strtoul(argv[2], NULL, 10),
        .pages = strtoul(argv[3], NULL, 10),
        .cpu = strtol(argv[4], NULL, 10),
        .handler = strtoul(argv[5], NULL, 10),
    };
    victim_main(&options);
}
