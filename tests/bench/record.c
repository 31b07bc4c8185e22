/*
 * Let a QEMU build records of memory errors, for instructions to be counted
 *
 * A library to be preloaded into qemu-system-aarch64, ours or stock: when QEMU
 * exits, with its machine complete, one of its own functions is called
 * RECORDS times.  The environment says which one: RECORD_FUNCTION is its
 * offset in the program, hexadecimal, and RECORD_KIND
 *   ours    if it is virt_ras_build_block(), hw/arm/virt_ras_cper.c
 *   stock   if it is acpi_ghes_memory_errors(), hw/acpi/ghes.c; no firmware
 *           has run, so it builds the block, and finds no place to copy it to
 * RECORDS is defined by who compiles this, tests/bench/bench.py.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "hw/ras-queue.h"
#include <link.h>

#define GUEST_RAM 0x40000000ULL

typedef size_t BuildBlock(uint8_t *buf, size_t size, RasEntry *const *batch,
                          unsigned int n);
typedef int MemoryErrors(uint16_t source_id, uint64_t physical_address);

static int find_program(struct dl_phdr_info *info, size_t size, void *base)
{
    *(uintptr_t *)base = info->dlpi_addr;
    return 1;                   /* the program is the first */
}

static void build_ours(BuildBlock *build)
{
    static RasEntry entry = {
        .error = {
            .kind = RAS_KIND_MEMORY,
            .severity = RAS_SEVERITY_RECOVERABLE,
            .channel = RAS_CHANNEL_INTERRUPT,
            .vcpu = -1,
            .has_addr = true,
            .len = RAS_PAGE_SIZE,
        },
    };
    RasEntry *const batch[] = { &entry };
    uint8_t block[1024];

    for (unsigned int i = 0; i < RECORDS; i++) {
        size_t length;

        entry.id = i + 1;
        entry.error.first = GUEST_RAM + i * RAS_PAGE_SIZE;
        entry.error.addr = entry.error.first;
        length = build(block, sizeof(block), batch, 1);
        if (length != CPER_BLOCK_HEADER_SIZE + CPER_ENTRY_HEADER_SIZE +
                      CPER_MEMORY_SIZE ||
            !cper_block_check(block, length, NULL)) {
            fprintf(stderr, "this is not the block of one page\n");
            _exit(1);
        }
    }
}

static void build_stock(MemoryErrors *build)
{
    for (unsigned int i = 0; i < RECORDS; i++) {
        build(0, GUEST_RAM + i * RAS_PAGE_SIZE);
    }
}

/* The name is known to tests/bench/bench.py, too. */
static void __attribute__((destructor)) build_records(void)
{
    const char *kind = getenv("RECORD_KIND");
    const char *function = getenv("RECORD_FUNCTION");
    uintptr_t address;

    if (!kind || !function) {
        return;
    }
    dl_iterate_phdr(find_program, &address);
    address += g_ascii_strtoull(function, NULL, 16);
    if (!strcmp(kind, "ours")) {
        build_ours((BuildBlock *)address);
    } else {
        build_stock((MemoryErrors *)address);
    }
    /* nothing more is to be counted */
    _exit(0);
}
