/*
 * Guest RAS: what the qtests share
 *
 * Starts the machine that belongs to QTEST_QEMU_BINARY, talks to the guest RAS
 * part of its monitor, and keeps the events in the order in which they came.
 * Every query-ras goes through ras_query(), which checks on each occasion what
 * must hold at any time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_QTEST_H
#define TESTS_QTEST_RAS_QTEST_H

#include <glib/gstdio.h>

#include "libqtest.h"
#include "ras-compat.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"

#define RAS_PAGE UINT64_C(4096)

/* Errors of ras-inject that can be in flight, and ranges that can be poison */
#define RAS_INJECTED_MAX 1024
#define RAS_POISONED_RANGES 256

/* How long to wait for what should come at once: generous, hosts are busy */
#define RAS_PATIENCE (120 * G_TIME_SPAN_SECOND)

typedef struct RasVm {
    QTestState *qts;
    GQueue events;          /* QDict *: RAS_ERROR, MEMORY_FAILURE, ... */
    unsigned int resets;    /* RESET events so far */
    unsigned int panics;    /* GUEST_PANICKED events so far */
    uint64_t ram;           /* guest physical address and size of RAM */
    uint64_t ram_size;
} RasVm;

bool ras_on_arm(void);

/* The environment variable that names the base without guest RAS */
const char *ras_stock_binary(void);

/* The value of an environment variable; without it the test is skipped. */
const char *ras_env_or_skip(const char *name);

/* Does text match pattern ("*" and "?" as in a shell)? */
void ras_assert_like(const char *text, const char *pattern);
char *ras_temp_file(void);
char *ras_read_file(const char *name, size_t *len);

/* Where the firmware below looks for what to do, and what it notes there */
#define RAS_ARM_MAILBOX     0x40030000
#define RAS_ARM_ADDRESS     0   /* to access, if not 0 */
#define RAS_ARM_KIND        8   /* 0: load, 1: store, 2: fetch */
#define RAS_ARM_DONE        16  /* accesses that went well */
#define RAS_ARM_VALUE       24  /* what was loaded */
#define RAS_ARM_ESR         32  /* of the last synchronous exception */
#define RAS_ARM_FAR         40
#define RAS_ARM_ENTRIES     48  /* number of these exceptions */

/*
 * A firmware for virt that does nothing but access memory when it is told to:
 * guest RAS needs some firmware, and a test wants one that leaves RAM alone.
 * The caller removes the file once QEMU has started.
 */
char *ras_arm_firmware(void);

/*
 * Command line of the machine with RAM of size mib: two vCPUs and no devices
 * beyond those of the board.
 * machine_options: more options for -machine, each with a comma before it
 * firmware: only for virt; NULL for none
 */
char *ras_command_line(const char *machine_options, unsigned int mib,
                       const char *firmware);

/*
 * Start the binary that environment variable var names (NULL: that under
 * test).
 */
RasVm *ras_start_binary(const char *var, const char *machine_options,
                        const char *options);

/*
 * Start the machine with guest RAS; all of its vCPUs are online on virt, and
 * the first one on pseries.
 */
RasVm *ras_start(const char *options);

/* Poison needs TCG.  libqtest adds "-accel qtest", but the first one wins. */
RasVm *ras_start_stopped_tcg(void);
void ras_quit(RasVm *vm);

/* Let events arrive: those of all that has happened. Stock refuses it. */
void ras_pump(RasVm *vm);

#define ras_wait_until(vm, condition)                                        \
    do {                                                                     \
        int64_t give_up_ = g_get_monotonic_time() + RAS_PATIENCE;            \
        while (!(condition)) {                                               \
            if (g_get_monotonic_time() > give_up_) {                         \
                g_error("%s:%d: it did not happen: %s", __FILE__, __LINE__,  \
                        #condition);                                         \
            }                                                                \
            g_usleep(500);                                                   \
            ras_pump(vm);                                                    \
        }                                                                    \
    } while (0)

bool ras_run_state_is(RasVm *vm, const char *state);
void ras_stop(RasVm *vm);
void ras_cont(RasVm *vm);

/* Like qtest_system_reset(), which loses the other events. */
void ras_reset(RasVm *vm);

/*
 * Random numbers for a test that does anything, and when it has to end: a fixed
 * seed, and as soon as it has done enough, unless the environment has
 * RAS_FUZZ_SEED and RAS_FUZZ_SECONDS.
 */
GRand *ras_fuzz_start(int64_t *end);

/* --- query-ras ----------------------------------------------------------- */

uint64_t ras_get_uint(const QDict *dict, const char *key);
uint64_t ras_counter(const QDict *info, const char *name);

/* The answer of query-ras, for the caller to unref; see the checks above. */
QDict *ras_query(RasVm *vm);
uint64_t ras_count(RasVm *vm, const char *name);

#define ras_assert_count(vm, name, value) \
    g_assert_cmpuint(ras_count(vm, name), ==, value)

#define ras_wait_count(vm, name, value) \
    ras_wait_until(vm, ras_count(vm, name) == (value))

/*
 * Is part of query-ras what the JSON text says?  Single quotes will do:
 * ras_assert_part(vm, "parked", "[ 1 ]")
 */
void ras_assert_part(RasVm *vm, const char *part, const char *json);

/* "ID: REASON" if the guest is lost, or NULL. */
char *ras_lost(RasVm *vm);

/* State of error id: "over" if it is not in the queue any more. */
char *ras_state(RasVm *vm, uint64_t id);
bool ras_state_is(RasVm *vm, uint64_t id, const char *expected);

#define ras_assert_state(vm, id, expected)                                   \
    do {                                                                     \
        g_autofree char *state_ = ras_state(vm, id);                         \
        g_assert_cmpstr(state_, ==, expected);                               \
    } while (0)

/* Has the guest set up what a record needs? */
bool ras_ready(RasVm *vm);

/* --- ras-inject, ras-unpoison -------------------------------------------- */

/* Arguments of ras-inject as JSON, with what QMP formats can hold. */
uint64_t G_GNUC_PRINTF(2, 3) ras_inject(RasVm *vm, const char *fmt, ...);
/* The same; is it accepted?  If not, that is no failure. */
bool G_GNUC_PRINTF(2, 3) ras_try_inject(RasVm *vm, const char *fmt, ...);
uint64_t ras_consume(RasVm *vm, uint64_t address, int vcpu);
void ras_poison(RasVm *vm, uint64_t address, uint64_t length);
void ras_unpoison(RasVm *vm, uint64_t address, uint64_t length);

/*
 * The command with these arguments fails with a text that matches pattern,
 * has no effect and sends no event.  refused: by how much that counter grows.
 */
void ras_assert_refused(RasVm *vm, const char *command, QDict *args,
                        const char *pattern, unsigned int refused);
void G_GNUC_PRINTF(3, 4)
ras_inject_refused(RasVm *vm, const char *pattern, const char *fmt, ...);
void G_GNUC_PRINTF(3, 4)
ras_unpoison_refused(RasVm *vm, const char *pattern, const char *fmt, ...);

/*
 * QEMU is frozen for longer than a record that is out may take: that is no time
 * of the guest, so the record stays.
 *
 * start: a machine with TCG, and this for property reclaim-ms, whose first
 * error is out; it does not acknowledge by itself
 */
void ras_check_frozen(RasVm *(*start)(unsigned int reclaim_ms));

/* --- events -------------------------------------------------------------- */

/* The next event, which is called name, for the caller to unref. */
QDict *ras_next_event(RasVm *vm, const char *name);

/* The next event is RAS_ERROR of error id with that state; unref its error. */
QDict *ras_next_step(RasVm *vm, uint64_t id, const char *state);
void ras_expect_step(RasVm *vm, uint64_t id, const char *state);
void ras_expect_memory_failure(RasVm *vm, const char *action, bool recursive);
void ras_drop_events(RasVm *vm);

/* --- migration ----------------------------------------------------------- */

bool ras_migration_is(RasVm *vm, const char *status);

/*
 * Has QEMU tidied up after a migration?  Its status says "failed" before that,
 * and a migration that is started too early fails and blocks all later ones.
 */
bool ras_migration_is_gone(RasVm *vm);

/* Save the VM to a file; it ends with migration status. */
void ras_save(RasVm *vm, const char *file, const char *status);

/* Load what ras_save() wrote into a VM that was started with -incoming defer */
void ras_load(RasVm *vm, const char *file);

#endif
