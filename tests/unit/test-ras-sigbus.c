/*
 * Guest RAS: which SIGBUS is about failed memory, and who is to handle it
 *
 * hw/ras/sigbus.c, whose functions are static here, with each answer that the
 * rest of QEMU can give.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/ras-copy.h"
#include <sys/syscall.h>

/* --- what it uses of QEMU ------------------------------------------------- */

typedef uint64_t ram_addr_t;
typedef struct RAMBlock RAMBlock;
typedef struct RasDevice RasDevice;
typedef struct CPUState CPUState;
#define RAM_ADDR_FMT "%" PRIx64
#define ctz64(value) __builtin_ctzll(value)
#define qatomic_inc(value) __atomic_fetch_add(value, 1, __ATOMIC_SEQ_CST)
#define QEMU_ALIGN_PTR_DOWN(p, n) ((void *)((uintptr_t)(p) & -(uintptr_t)(n)))

static CPUState *current_cpu;
static bool kvm, tcg, recovers;
static unsigned int ras_copy_failures;
static int given_to_kvm, noted, recovered;

static RasDevice *ras_get(void)
{
    return (RasDevice *)&kvm;
}

static bool ras_pages_have_failed(void *addr, size_t len)
{
    return false;
}

static bool kvm_enabled(void)
{
    return kvm;
}

static bool tcg_enabled(void)
{
    return tcg;
}

static bool kvm_ras_sigbus(const siginfo_t *info)
{
    given_to_kvm++;
    return true;
}

static void tcg_ras_try_again(CPUState *cpu, uintptr_t pc)
{
}

static void ras_host_memory_note(const void *host, bool met)
{
    noted++;
}

static int qemu_get_thread_id(void)
{
    return syscall(SYS_gettid);
}

static RAMBlock *qemu_ram_block_from_host(void *addr, bool round,
                                          ram_addr_t *offset)
{
    *offset = 0;
    return (RAMBlock *)addr;
}

static const char *qemu_ram_get_idstr(RAMBlock *block)
{
    return "";
}

static bool recover(const siginfo_t *info, void *context, void **at)
{
    recovered++;
    return recovers;
}

#define ras_copy_recover recover
#define ras_copy_context_pc(context) 0
#define ras_can_read(host, len) true
#include "ras-sigbus.c.inc"

/* -------------------------------------------------------------------------- */

static char page[4096];

static bool handled(int code)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = code };

    info.si_addr = page;
    given_to_kvm = noted = recovered = 0;
    return ras_sigbus(&info, NULL);
}

/* QEMU has to end by any other SIGBUS, as without guest RAS. */
static void test_other_signals(void)
{
    static const int codes[] = { BUS_ADRALN, BUS_ADRERR, BUS_OBJERR, SI_USER,
                                 SI_KERNEL, SI_TKILL, SI_QUEUE };

    recovers = true;
    for (int accel = 0; accel < 2; accel++) {
        kvm = accel == 0;
        tcg = !kvm;
        for (int i = 0; i < ARRAY_SIZE(codes); i++) {
            g_assert_false(handled(codes[i]));
            g_assert_cmpint(given_to_kvm, ==, 0);
            g_assert_cmpint(recovered, ==, 0);
            g_assert_cmpint(noted, ==, 0);
        }
    }
}

static void test_failed_memory(void)
{
    kvm = true;
    recovers = true;
    g_assert_true(handled(BUS_MCEERR_AR));
    g_assert_cmpint(given_to_kvm, ==, 0);
    g_assert_cmpint(noted, ==, 1);
    recovers = false;
    g_assert_true(handled(BUS_MCEERR_AR));
    g_assert_cmpint(given_to_kvm, ==, 1);
    g_assert_true(handled(BUS_MCEERR_AO));
    g_assert_cmpint(given_to_kvm, ==, 1);
    kvm = false;
    g_assert_true(handled(BUS_MCEERR_AO));
    g_assert_cmpint(given_to_kvm, ==, 0);
    g_assert_cmpint(noted, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras-sigbus/other-signals", test_other_signals);
    g_test_add_func("/ras-sigbus/failed-memory", test_failed_memory);
    return g_test_run();
}
