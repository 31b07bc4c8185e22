/*
 * QTest of the device "ras-ghes" on the Arm machine "virt": VMs that move
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "ras-arm-ghes.h"
#include "ras-cper.h"

/* The RAM moves with the VM, and the device works on arrival. */
static void test_migration(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id;

    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        qtest_writeq(vm->qts, addr + 0x10, ~addr);
    }
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(NULL, MACHINE, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        g_assert_cmphex(qtest_readq(vm->qts, addr + 0x10), ==, ~addr);
    }
    check_registers(vm, NONE);
    id = consume_notified(vm, PAGE(0));
    check_registers(vm, SEA);
    check_block(vm, PAGE(0));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_quit(vm);
    g_unlink(file);
}

/*
 * Moved with a record of each source out, and errors behind them: all end
 * acknowledged on arrival, each page told once.
 */
static void test_migration_with_records_out(void)
{
    const unsigned int pages = 20;      /* eight in a record */
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t sea = consume_notified(vm, PAGE(0)), waits, many, polled;

    waits = ras_consume(vm, PAGE(1), 0);
    many = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity': "
                      "'recoverable', 'address': %" PRIu64 ", 'length': %"
                      PRIu64 " }", (uint64_t)PAGE(100),
                      pages * (uint64_t)RAS_PAGE);
    polled = report(vm, PAGE(2), true);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    for (int source = 0; source < SOURCES; source++) {
        g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(source)), ==, 0);
        g_assert_cmphex(block_status(vm, source), !=, 0);
    }
    ras_assert_state(vm, sea, "notified");
    ras_assert_state(vm, waits, "queued");
    ras_assert_state(vm, many, "notified");
    qtest_writeq(vm->qts, READ_ACK(POLLED), 1);
    ras_wait_until(vm, ras_state_is(vm, polled, "over"));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, waits, "notified"));
    check_block(vm, PAGE(1));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, waits, "over"));
    /* the first 8 were told before, the others follow */
    for (unsigned int told = 8; told < pages; told += 8) {
        qtest_writeq(vm->qts, READ_ACK(GED), 1);
        qtest_clock_step(vm->qts, PACE_NS);
        ras_assert_state(vm, many, "notified");
        g_assert_cmphex(qtest_readl(vm->qts, BLOCK(GED) + 12), ==,
                        MIN(8, pages - told) * 152);
        g_assert_cmphex(qtest_readq(vm->qts, BLOCK(GED) + 20 + 72 + 16), ==,
                        PAGE(100 + told));
    }
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, many, "over"));
    ras_assert_count(vm, "acknowledged", 4);
    ras_quit(vm);
    g_unlink(file);
}

/* Moved between two records of one error: the rest is told on arrival. */
static void test_migration_between_records(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                             " 'severity': 'recoverable', 'address': %" PRIu64
                             ", 'length': %" PRIu64 " }", (uint64_t)PAGE(100),
                             12 * (uint64_t)RAS_PAGE);

    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_assert_state(vm, id, "notified");
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    /* the pause between them has moved, too */
    g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(GED)), ==, 1);
    qtest_clock_step(vm->qts, PACE_NS);
    g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(GED)), ==, 0);
    g_assert_cmphex(qtest_readl(vm->qts, BLOCK(GED) + 12), ==, 4 * 152);
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
    g_unlink(file);
}

/*
 * A guest that has panicked because of a fatal error is moved, and learns of
 * it when it boots there.
 */
static void test_migration_of_a_fatal_error(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                             " 'severity': 'fatal', 'address': %" PRIu64 " }",
                             (uint64_t)PAGE(3));

    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0);
    ras_reset(vm);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), !=, 0);
    g_assert_cmphex(qtest_readq(vm->qts, BERT + 20 + 72 + 16), ==, PAGE(3));
    g_assert_cmphex(qtest_readl(vm->qts, BERT + 20 + 72 + 80), ==, 0);
    /* told once */
    report(vm, PAGE(9), true);
    ras_reset(vm);
    check_block_at(vm, BERT, PAGE(9));
    ras_quit(vm);
    g_unlink(file);
}

/* A fatal error that a reset cuts off is told once by the next boot. */
static void test_fatal_error_cut_off(void)
{
    for (int source = SEA; source < SOURCES; source++) {
        RasVm *vm = start();

        ras_inject(vm, source == SEA ?
                   "{ 'kind': 'memory', 'mode': 'consume', 'vcpu': 0,"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }" :
                   source == GED ?
                   "{ 'kind': 'memory', 'mode': 'report',"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }" :
                   "{ 'kind': 'memory', 'mode': 'report', 'polled': true,"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }",
                   (uint64_t)PAGE(3));
        ras_wait_until(vm, ras_state_is(vm, 1, "notified"));
        ras_reset(vm);
        g_assert_cmphex(qtest_readl(vm->qts, BERT), !=, 0);
        g_assert_cmphex(qtest_readq(vm->qts, BERT + 20 + 72 + 16), ==,
                        PAGE(3));
        g_assert_cmphex(qtest_readl(vm->qts, BERT + 20 + 72 + 80), ==, 0);
        ras_quit(vm);
    }
}

/* --- while a migration runs ----------------------------------------------- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(g_strlcpy(address.sun_path, path,
                               sizeof(address.sun_path)), <,
                     sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==,
                    0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

/* Read the next bytes; false: there are no more. */
static bool read_more(int fd, GByteArray *stream)
{
    uint8_t buf[4096];
    ssize_t got = read(fd, buf, sizeof(buf));

    g_assert_cmpint(got, >=, 0);
    g_byte_array_append(stream, buf, got);
    return got;
}

static bool has_bytes(const GByteArray *stream, const void *bytes, size_t len)
{
    /* not what was looked at before: the bytes may end in the last read */
    size_t last = MIN(stream->len, 4096 + len);

    return memmem(stream->data + stream->len - last, last, bytes, len);
}

static void fill(RasVm *vm, uint64_t addr, size_t len, uint32_t seed)
{
    g_autofree uint8_t *data = g_malloc(len);
    GRand *rand = g_rand_new_with_seed(seed);

    for (size_t i = 0; i < len; i++) {
        data[i] = g_rand_int(rand);
    }
    qtest_memwrite(vm->qts, addr, data, len);
    g_rand_free(rand);
}

/* Does QEMU know how fast it sends?  Then it knows when it must not end. */
static bool has_speed(RasVm *vm)
{
    QDict *info = qtest_qmp_assert_success_ref(vm->qts,
                      "{ 'execute': 'query-migrate' }");
    QDict *ram = qdict_get_qdict(info, "ram");
    bool has = ram && qnum_get_double(qobject_to(QNum,
                                                 qdict_get(ram, "mbps"))) > 0;

    qobject_unref(info);
    return has;
}

/*
 * A record that is written while the VM is being moved, when its page was sent
 * before, arrives.  QEMU sends no faster than this test reads, and has 1 MiB to
 * send behind that page, which is more than a socket holds; it stops the VM
 * when less than 4 KiB are left.
 */
static void test_record_while_moving(void)
{
    static const char mark[] = "the page of the block";
    g_autofree char *file = ras_temp_file();
    g_autofree char *path = g_strconcat(file, ".sock", NULL);
    g_autofree char *uri = g_strconcat("unix:", path, NULL);
    g_autoptr(GByteArray) stream = g_byte_array_new();
    RasVm *vm = start();
    int listener = listen_at(path), fd;
    uint64_t id;

    fill(vm, RAM, 2 * MiB, 1);
    qtest_memwrite(vm->qts, BLOCK(GED) + 0x800, mark, sizeof(mark));
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate-set-parameters',"
                             " 'arguments': { 'downtime-limit': 1,"
                             " 'avail-switchover-bandwidth': 4096000 } }");
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    while (stream->len < 3 * MiB / 2 || !has_speed(vm)) {
        g_assert_cmpuint(stream->len, <, 2 * MiB);
        g_assert_true(read_more(fd, stream));
        g_usleep(1000);
    }
    /* sent already, and to be sent once more, after all the rest */
    fill(vm, RAM, 1 * MiB, 2);
    while (!has_bytes(stream, mark, sizeof(mark))) {
        g_assert_true(read_more(fd, stream));
    }
    g_assert_true(ras_migration_is(vm, "active"));
    id = report(vm, PAGE(0), false);
    ras_assert_state(vm, id, "notified");
    check_block_at(vm, BLOCK(GED), PAGE(0));
    while (read_more(fd, stream)) {
        /* to the end */
    }
    ras_wait_until(vm, ras_migration_is(vm, "completed"));
    ras_quit(vm);
    close(fd);
    close(listener);
    g_unlink(path);

    g_assert_true(g_file_set_contents(file, (char *)stream->data, stream->len,
                                      NULL));
    vm = load(file, MACHINE);
    ras_assert_state(vm, id, "notified");
    check_registers(vm, GED);
    check_block_at(vm, BLOCK(GED), PAGE(0));
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_quit(vm);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/migration", test_migration);
    qtest_add_func("/ras/ghes/migration-with-records-out",
                   test_migration_with_records_out);
    qtest_add_func("/ras/ghes/migration-between-records",
                   test_migration_between_records);
    qtest_add_func("/ras/ghes/migration-of-a-fatal-error",
                   test_migration_of_a_fatal_error);
    qtest_add_func("/ras/ghes/fatal-error-cut-off", test_fatal_error_cut_off);
    qtest_add_func("/ras/ghes/record-while-moving", test_record_while_moving);
    return g_test_run();
}
