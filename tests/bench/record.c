/*
 * Let a QEMU build records of memory errors, for instructions to be counted
 *
 * A library to be preloaded into a QEMU, ours or stock: when it exits, with its
 * machine complete, some of its own functions are called RECORDS times.  The
 * environment says which ones: RECORD_SYMBOLS has the offsets of what is
 * listed here, hexadecimal, with commas, and RECORD_KIND
 *   cper-ours   virt_ras_build_block(), hw/arm/virt_ras_cper.c
 *   cper-stock  acpi_ghes_memory_errors(), hw/acpi/ghes.c; no firmware has
 *               run, so it builds the block, and finds no place to copy it to
 *   rtas-ours   spapr_mce_build_log(), hw/ppc/spapr_mce.c
 *   rtas-ours-registers
 *               the same, for an error that came with registers, as KVM's do
 *   rtas-stock  spapr_mce_req_event(), hw/ppc/spapr_events.c; cpus_queue,
 *               current_machine and rtas_ibm_nmi_register(), which is called
 *               once; then the device tree has no RTAS area any more, so the
 *               log is built, and finds no place
 * RECORDS is defined by who compiles this, tests/bench/bench.py.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "hw/ppc/spapr_mce.h"
#include "hw/ras-error.h"
#include "tests/unit/oracle/rtas-reader.h"
#include <dlfcn.h>
#include <link.h>

#define GUEST_RAM 0x40000000ULL

typedef size_t BuildBlock(uint8_t *buf, size_t size, RasRecordPart *batch,
                          unsigned int n);
typedef int MemoryErrors(uint16_t source_id, uint64_t physical_address);
typedef void BuildLog(PpcMceCpu cpu, const RasError *error, uint64_t id,
                      uint32_t processor, RtasElogMcLogBytes *log);
typedef void RequestEvent(void *cpu, bool recovered);
typedef void RtasCall(void *cpu, void *machine, uint32_t token, uint32_t nargs,
                      uint64_t args, uint32_t nret, uint64_t rets);

#define SYMBOLS 4

static bool has_rtas_area;

/* libfdt's, which QEMU asks for the address of the RTAS area */
const void __attribute__((visibility("default")))
*fdt_getprop(const void *fdt, int node, const char *name, int *len)
{
    static const void *(*real)(const void *, int, const char *, int *);
    static const uint8_t base[4] = { 0x01 };    /* 16 MiB */

    if (has_rtas_area && !strcmp(name, "linux,rtas-base")) {
        return base;
    }
    if (!real) {
        real = dlsym(RTLD_NEXT, "fdt_getprop");
    }
    return real(fdt, node, name, len);
}

static int find_program(struct dl_phdr_info *info, size_t size, void *base)
{
    *(uintptr_t *)base = info->dlpi_addr;
    return 1;                   /* the program is the first */
}

static void build_cper_ours(BuildBlock *build)
{
    static RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .channel = RAS_CHANNEL_INTERRUPT,
        .vcpu = -1,
        .has_addr = true,
        .len = RAS_PAGE_SIZE,
    };
    RasRecordPart part = { .error = &error };
    uint8_t block[1024];

    for (unsigned int i = 0; i < RECORDS; i++) {
        size_t length;

        part.id = i + 1;
        error.first = GUEST_RAM + i * RAS_PAGE_SIZE;
        error.addr = error.first;
        length = build(block, sizeof(block), &part, 1);
        if (length != CPER_BLOCK_HEADER_SIZE + CPER_ENTRY_HEADER_SIZE +
                      CPER_MEMORY_SIZE ||
            !cper_block_check(block, length, NULL)) {
            fprintf(stderr, "this is not the block of one page\n");
            _exit(1);
        }
    }
}

static void build_cper_stock(MemoryErrors *build)
{
    for (unsigned int i = 0; i < RECORDS; i++) {
        build(0, GUEST_RAM + i * RAS_PAGE_SIZE);
    }
}

static void build_rtas_ours(BuildLog *build, bool registers)
{
    RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .channel = RAS_CHANNEL_EXCEPTION,
        .synchronous = true,
        .has_addr = true,
        .has_vaddr = true,
        .len = RAS_PAGE_SIZE,
        .syndrome = {
            .valid = registers,
            .srr1 = PPC_MCE_SRR1_LOAD_STORE,
            .dsisr = 0x8000,            /* UE, load/store */
        },
    };
    g_autoptr(GString) why = g_string_new(NULL);
    RtasElogMcLogBytes log;
    RtasReading r;

    for (unsigned int i = 0; i < RECORDS; i++) {
        error.first = i * RAS_PAGE_SIZE;
        error.addr = error.first;
        error.vaddr = error.first;
        build(PPC_MCE_POWER10, &error, i + 1, 0, &log);
        if (!rtas_read((uint8_t *)&log, sizeof(log), &r, why) ||
            !rtas_read_strict(&r, why) ||
            r.mc.logical_address != error.addr) {
            fprintf(stderr, "this is not the log of a machine check: %s\n",
                    why->str);
            _exit(1);
        }
    }
}

static void build_rtas_stock(RequestEvent *request, void *const *cpus,
                             void *const *machine, RtasCall *nmi_register)
{
    /* two routines at address 0, which is what is in RAM there */
    has_rtas_area = true;
    nmi_register(*cpus, *machine, 0, 2, 0, 1, 0x100);
    has_rtas_area = false;
    for (unsigned int i = 0; i < RECORDS; i++) {
        request(*cpus, true);
    }
}

/* The name is known to tests/bench/bench.py, too. */
static void __attribute__((destructor)) build_records(void)
{
    const char *kind = getenv("RECORD_KIND");
    const char *symbols = getenv("RECORD_SYMBOLS");
    void *symbol[SYMBOLS] = {};
    char **offset;
    uintptr_t base;

    if (!kind || !symbols) {
        return;
    }
    dl_iterate_phdr(find_program, &base);
    offset = g_strsplit(symbols, ",", SYMBOLS);
    for (int i = 0; offset[i]; i++) {
        symbol[i] = (void *)(base + g_ascii_strtoull(offset[i], NULL, 16));
    }
    if (!strcmp(kind, "cper-ours")) {
        build_cper_ours(symbol[0]);
    } else if (!strcmp(kind, "cper-stock")) {
        build_cper_stock(symbol[0]);
    } else if (!strcmp(kind, "rtas-ours")) {
        build_rtas_ours(symbol[0], false);
    } else if (!strcmp(kind, "rtas-ours-registers")) {
        build_rtas_ours(symbol[0], true);
    } else {
        build_rtas_stock(symbol[0], symbol[1], symbol[2], symbol[3]);
    }
    /* nothing more is to be counted */
    _exit(0);
}
