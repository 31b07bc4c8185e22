/*
 * Guest RAS: devices of QEMU access memory that has failed on the host
 *
 * Nobody knows of it before: the access itself gets SIGBUS, or EFAULT in the
 * kernel.  It fails for the guest, and QEMU goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-fail.h"
#include "ras-rig.h"
#include "standard-headers/linux/virtio_balloon.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_ring.h"

/* How many ranges of memory are known to have failed? */
static unsigned int nr_failed(RasVm *vm)
{
    QDict *info = ras_query(vm);
    unsigned int n = qlist_size(qdict_get_qlist(info, "host-poisoned"));

    qobject_unref(info);
    return n;
}

/* How much memory is known to have failed? */
static uint64_t bytes_failed(RasVm *vm)
{
    QDict *info = ras_query(vm);
    QListEntry *entry;
    uint64_t bytes = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "host-poisoned"), entry) {
        bytes += ras_get_uint(qobject_to(QDict, qlist_entry_obj(entry)),
                              "length");
    }
    qobject_unref(info);
    return bytes;
}

/* That page, and no other, is known to have failed. */
static void assert_failed(RasVm *vm, uint64_t address)
{
    QDict *info, *range;

    ras_wait_until(vm, bytes_failed(vm) > 0);
    info = ras_query(vm);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "host-poisoned")), ==,
                     1);
    range = qobject_to(QDict, qlist_peek(qdict_get_qlist(info,
                                                         "host-poisoned")));
    g_assert_cmphex(ras_get_uint(range, "address"), ==,
                    address & -(uint64_t)RAS_PAGE);
    g_assert_cmpuint(ras_get_uint(range, "length"), ==, RAS_PAGE);
    qobject_unref(info);
}

/* QEMU's functions for accesses, of all sizes and over the edge */
static void test_accesses(void)
{
    RasVm *vm = ras_start("-accel tcg -S");
    uint8_t data[3 * RAS_PAGE];

    qtest_memset(vm->qts, PAGE(0), 0x11, 3 * RAS_PAGE);
    ras_fail(vm, PAGE(1));
    g_assert_cmpuint(nr_failed(vm), ==, 0);
    qtest_readb(vm->qts, PAGE(1) + 1);
    assert_failed(vm, PAGE(1));
    qtest_readw(vm->qts, PAGE(1) + 2);
    qtest_readl(vm->qts, PAGE(1) + 4);
    qtest_readq(vm->qts, PAGE(1) + 8);
    qtest_writeb(vm->qts, PAGE(1) + 1, 1);
    qtest_writew(vm->qts, PAGE(1) + 2, 1);
    qtest_writel(vm->qts, PAGE(1) + 4, 1);
    qtest_writeq(vm->qts, PAGE(1) + 8, 1);
    qtest_memread(vm->qts, PAGE(0), data, sizeof(data));
    for (int i = 0; i < RAS_PAGE; i++) {
        g_assert_cmphex(data[i], ==, 0x11);
        g_assert_cmphex(data[2 * RAS_PAGE + i], ==, 0x11);
    }
    qtest_memset(vm->qts, PAGE(0), 0x22, 3 * RAS_PAGE);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1) - 1), ==, 0x22);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(2)), ==, 0x22);
    assert_failed(vm, PAGE(1));
    ras_quit(vm);
}

/* The same, with an access that nothing has preceded. */
static void first_access(void (*access)(QTestState *qts, uint64_t address))
{
    RasVm *vm = ras_start("-accel tcg -S");

    ras_fail(vm, PAGE(1));
    access(vm->qts, PAGE(1));
    assert_failed(vm, PAGE(1));
    ras_quit(vm);
}

static void read_long(QTestState *qts, uint64_t address)
{
    uint8_t data[64 + RAS_PAGE];

    qtest_memread(qts, address - 64, data, sizeof(data));
}

static void write_long(QTestState *qts, uint64_t address)
{
    qtest_memset(qts, address - 64, 0x44, 64 + RAS_PAGE);
    g_assert_cmphex(qtest_readb(qts, address - 1), ==, 0x44);
}

static void write_word(QTestState *qts, uint64_t address)
{
    qtest_writew(qts, address, 1);
}

/* RAM is a file that others may map, too. */
static void test_shared_file(void)
{
    char file[] = "/dev/shm/ras-qtest-XXXXXX";
    int fd = g_mkstemp(file);
    g_autofree char *args = NULL;
    RasVm *vm;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    args = g_strdup_printf("-accel tcg -S -object memory-backend-file,id=m,"
                           "size=256M,share=on,mem-path=%s"
                           " -machine memory-backend=m", file);
    vm = ras_start(args);
    g_unlink(file);
    qtest_memset(vm->qts, PAGE(0), 0x11, 3 * RAS_PAGE);
    ras_fail(vm, PAGE(1));
    qtest_writel(vm->qts, PAGE(1) + 4, 1);
    assert_failed(vm, PAGE(1));
    qtest_memset(vm->qts, PAGE(0), 0x22, 3 * RAS_PAGE);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1) - 1), ==, 0x22);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(2)), ==, 0x22);
    ras_reset(vm);
    g_assert_cmpuint(nr_failed(vm), ==, 0);
    qtest_memset(vm->qts, PAGE(1), 0x33, RAS_PAGE);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1) + 4), ==, 0x33);
    g_assert_cmpuint(nr_failed(vm), ==, 0);
    ras_quit(vm);
}

static void test_first_access(void)
{
    first_access(read_long);
    first_access(write_long);
    first_access(write_word);
}

/* A disk reads and writes it, in the kernel (EFAULT) and in QEMU. */
static void test_blk_pages(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;

    ras_fail(vm, PAGE(1));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(0), 4 * RAS_PAGE),
                     ==, IOERR);
    assert_failed(vm, PAGE(1));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(0), 2 * RAS_PAGE),
                     ==, IOERR);
    assert_disk_is_good(rig);
    rig_quit(rig);

    rig = rig_start_blk();
    vm = rig->vm;
    ras_fail(vm, PAGE(1));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 8, PAGE(1), RAS_PAGE), ==,
                     IOERR);
    assert_failed(vm, PAGE(1));
    assert_disk_is_good(rig);
    rig_quit(rig);
}

/* QEMU itself looks at the data before it writes them. */
static void test_blk_zeroes(void)
{
    Rig *rig = rig_start("-S -drive if=none,id=z,driver=raw,detect-zeroes=on,"
                         "file.driver=null-co,file.size=1048576",
                         "virtio-blk-pci,drive=z", 1);
    RasVm *vm = rig->vm;

    ras_fail(vm, PAGE(1));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 8, PAGE(1), RAS_PAGE), ==,
                     IOERR);
    assert_failed(vm, PAGE(1));
    rig_quit(rig);
}

/* Set up the queue of the device anew. */
static void rig_set_up(Rig *rig)
{
    qvirtio_start_device(&rig->dev->vdev);
    qvirtio_set_features(&rig->dev->vdev, 1ULL << VIRTIO_F_VERSION_1);
    rig->vq[0] = qvirtqueue_setup(&rig->dev->vdev, &rig->alloc, 0);
    qvirtio_set_driver_ok(&rig->dev->vdev);
}

/* All memory of a request fails at once: all of it is found, and replaced. */
static void test_blk_many(void)
{
    const uint64_t len = 8 * MiB;
    Rig *rig = rig_start("-S -drive if=none,id=z,driver=null-co,size=64M,"
                         "read-zeroes=on", "virtio-blk-pci,drive=z", 1);
    RasVm *vm = rig->vm;
    Part part[] = {
        { PAGE(8), 16, false },
        { PAGE(512), len, true },
        { PAGE(8192), RAS_PAGE, true },
        { PAGE(8) + 16, 1, true },
    };
    QDict *info;

    /* VIRTIO_BLK_T_IN from sector 0 */
    qtest_memset(vm->qts, PAGE(8), 0, 16);
    qtest_writeb(vm->qts, PAGE(8) + 16, PENDING);
    ras_fail_range(vm, PAGE(512), len);
    ras_fail(vm, PAGE(8192));
    rig_kick(rig, 0, rig_add(rig, 0, part, ARRAY_SIZE(part)));
    ras_wait_until(vm, qtest_readb(vm->qts, PAGE(8) + 16) != PENDING);
    g_assert_cmpuint(qtest_readb(vm->qts, PAGE(8) + 16), ==, IOERR);
    ras_wait_until(vm, bytes_failed(vm) == len + RAS_PAGE);
    info = ras_query(vm);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "host-poisoned")), ==,
                     2);
    qobject_unref(info);
    ras_reset(vm);
    g_assert_cmpuint(nr_failed(vm), ==, 0);
    qtest_memset(vm->qts, PAGE(512), 0x22, len);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(512)), ==, 0x22);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(512) + len - 1), ==, 0x22);
    g_assert_cmpuint(nr_failed(vm), ==, 0);
    rig_quit(rig);
}

/* Byte @offset of the disk, as it is in its file */
static uint8_t disk_byte(const char *disk, size_t offset)
{
    size_t len;
    g_autofree char *content = ras_read_file(disk, &len);

    g_assert_cmpuint(offset, <, len);
    return content[offset];
}

enum { NEIGHBOURS = 3 };

/* Neighbours on the disk, which the device makes one request of */
static void offer_neighbours(Rig *rig, uint32_t type,
                             uint32_t head[NEIGHBOURS])
{
    RasVm *vm = rig->vm;

    for (int i = 0; i < NEIGHBOURS; i++) {
        qtest_memset(vm->qts, PAGE(2 * i), 0x10 + i, RAS_PAGE);
        head[i] = blk_add(rig, 1 + i, type, 8 * i, PAGE(2 * i), RAS_PAGE);
    }
}

/* @content: of the disk, if it was read */
static void assert_neighbours_done(Rig *rig, uint32_t type, int bad,
                                   uint8_t content)
{
    RasVm *vm = rig->vm;

    for (int i = 0; i < NEIGHBOURS; i++) {
        g_assert_cmpuint(blk_wait(rig, 1 + i), ==,
                         i == bad ? IOERR : VIRTIO_BLK_S_OK);
    }
    assert_failed(vm, PAGE(2 * bad));
    for (int i = 0; i < NEIGHBOURS; i++) {
        if (i == bad) {
            continue;
        }
        for (int at = 0; at < RAS_PAGE; at += RAS_PAGE - 1) {
            g_assert_cmphex(type == VIRTIO_BLK_T_IN ?
                            qtest_readb(vm->qts, PAGE(2 * i) + at) :
                            disk_byte(rig->disk, i * RAS_PAGE + at), ==,
                            type == VIRTIO_BLK_T_IN ? content : 0x10 + i);
        }
    }
    g_assert_false(rig_broken(rig));
}

/* Of requests that were merged, the one fails whose buffer has failed. */
static void neighbours(const char *options, const char *device, uint32_t type,
                       uint8_t content)
{
    for (int bad = 0; bad < NEIGHBOURS; bad++) {
        Rig *rig = rig_start(options, device, 1);
        RasVm *vm = rig->vm;
        uint32_t head[NEIGHBOURS];

        offer_neighbours(rig, type, head);
        ras_fail(vm, PAGE(2 * bad));
        rig_kick_all(rig, 0, head, NEIGHBOURS);
        assert_neighbours_done(rig, type, bad, content);
        g_assert_cmpuint(used(rig, 0), ==, NEIGHBOURS);
        rig_quit(rig);
    }
}

static void test_blk_neighbours(void)
{
    static const char device[] = "virtio-blk-pci,drive=d";
    static const char iothread[] = "virtio-blk-pci,drive=d,iothread=io";

    neighbours("", device, VIRTIO_BLK_T_IN, 0x5a);
    neighbours("", device, VIRTIO_BLK_T_OUT, 0);
    neighbours("-object iothread,id=io", iothread, VIRTIO_BLK_T_IN, 0x5a);
    neighbours("-object iothread,id=io", iothread, VIRTIO_BLK_T_OUT, 0);
}

/*
 * QEMU itself writes the buffers, and does not look how much of that it could:
 * what is behind the failed page is not what is on the disk.
 */
static void test_blk_unchecked(void)
{
    neighbours("-drive if=none,id=z,driver=null-co,size=64M,read-zeroes=on",
               "virtio-blk-pci,drive=z", VIRTIO_BLK_T_IN, 0);
}

static void set_rate(RasVm *vm, int bytes)
{
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'block_set_io_throttle',"
                             " 'arguments': { 'device': 'd', 'bps': %d,"
                             " 'bps_rd': 0, 'bps_wr': 0, 'iops': 0,"
                             " 'iops_rd': 0, 'iops_wr': 0 } }", bytes);
}

/* Have neighbours, one of which is bad, wait until the disk is drained. */
static Rig *neighbours_wait(const char *device)
{
    Rig *rig = rig_start("", device, 1);
    RasVm *vm = rig->vm;
    uint32_t head[NEIGHBOURS];

    set_rate(vm, 1);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(8), SECTOR), ==,
                     VIRTIO_BLK_S_OK);
    offer_neighbours(rig, VIRTIO_BLK_T_IN, head);
    ras_fail(vm, PAGE(2));
    rig_kick_all(rig, 0, head, NEIGHBOURS);
    return rig;
}

/* The VM is stopped meanwhile: then nothing is done until it goes on. */
static void test_blk_neighbours_stopped(void)
{
    Rig *rig = neighbours_wait("virtio-blk-pci,drive=d");
    RasVm *vm = rig->vm;

    ras_stop(vm);
    assert_failed(vm, PAGE(2));
    set_rate(vm, 0);
    for (int i = 0; i < NEIGHBOURS; i++) {
        g_assert_cmpuint(blk_status(rig, 1 + i), ==, PENDING);
    }
    ras_cont(vm);
    assert_neighbours_done(rig, VIRTIO_BLK_T_IN, 1, 0x5a);
    rig_quit(rig);
}

/* The device is reset meanwhile: nothing comes after that. */
static void test_blk_neighbours_reset(void)
{
    Rig *rig = neighbours_wait("virtio-blk-pci,drive=d,ioeventfd=off");
    RasVm *vm = rig->vm;

    rig_set_up(rig);
    set_rate(vm, 0);
    assert_disk_is_good(rig);
    assert_failed(vm, PAGE(2));
    g_assert_cmpuint(used(rig, 0), ==, 1);
    rig_quit(rig);
}

/*
 * The host's kernel gets the pages themselves, without a copy; or QEMU makes
 * one, because they are not aligned.
 */
static void test_blk_direct(void)
{
    const uint64_t len = 2 * RAS_PAGE;
    const int sector = 64;

    for (int i = 0; i < 4; i++) {
        uint32_t type = i % 2 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
        int offset = i / 2;
        g_autofree char *disk = make_disk();
        g_autofree char *options = g_strdup_printf("-S -drive if=none,id=n,"
            "format=raw,file=%s,file.locking=off,cache=none", disk);
        Rig *rig = rig_start(options, "virtio-blk-pci,drive=n", 1);
        RasVm *vm = rig->vm;

        ras_fail(vm, PAGE(1));
        g_assert_cmpuint(blk_do(rig, type, sector, PAGE(0) + offset, len), ==,
                         IOERR);
        assert_failed(vm, PAGE(1));
        qtest_memset(vm->qts, PAGE(4), 0x44, 3 * RAS_PAGE);
        g_assert_cmpuint(blk_do(rig, type, sector, PAGE(4) + offset, len), ==,
                         VIRTIO_BLK_S_OK);
        if (type == VIRTIO_BLK_T_IN) {
            g_assert_cmphex(qtest_readb(vm->qts, PAGE(4) + offset), ==, 0x5a);
        } else {
            g_assert_cmphex(disk_byte(disk, sector * SECTOR + len - 1), ==,
                            0x44);
        }
        assert_disk_is_good(rig);
        rig_quit(rig);
        g_unlink(disk);
    }
}

/* A request that fails for another reason as well fails for that one. */
static void test_blk_no_space(void)
{
    Rig *rig = rig_start("-S -drive if=none,id=z,werror=enospc,driver=raw,"
                         "file.driver=blkdebug,file.image.driver=null-co,"
                         "file.image.size=1048576,"
                         "file.inject-error.0.event=none,"
                         "file.inject-error.0.iotype=write,"
                         "file.inject-error.0.errno=28",
                         "virtio-blk-pci,drive=z", 1);
    RasVm *vm = rig->vm;
    QDict *event, *data;

    ras_fail(vm, PAGE(1));
    rig_kick(rig, 0, blk_add(rig, 1, VIRTIO_BLK_T_OUT, 8, PAGE(1), RAS_PAGE));
    event = qtest_qmp_eventwait_ref(vm->qts, "BLOCK_IO_ERROR");
    data = qdict_get_qdict(event, "data");
    g_assert_true(qdict_get_bool(data, "nospace"));
    g_assert_cmpstr(qdict_get_str(data, "action"), ==, "stop");
    qobject_unref(event);
    assert_failed(vm, PAGE(1));
    rig_quit(rig);
}

/* The disk is on a server, where a failed page does not end the connection. */
static void test_nbd(void)
{
    const uint64_t len = 4 * RAS_PAGE;

    for (int i = 0; i < 2; i++) {
        uint32_t type = i ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
        g_autofree char *disk = make_disk(), *path = ras_temp_file();
        g_autofree char *options = g_strdup_printf("-S -drive if=none,id=z,"
            "driver=nbd,server.type=unix,server.path=%s,export=n", path);
        QTestState *server = qtest_initf("-machine none -blockdev driver=file,"
                                         "node-name=n,filename=%s", disk);
        RasVm *vm;
        Rig *rig;

        g_unlink(path);
        qtest_qmp_assert_success(server, "{ 'execute': 'nbd-server-start',"
            " 'arguments': { 'addr': { 'type': 'unix', 'data': {"
            " 'path': %s } } } }", path);
        qtest_qmp_assert_success(server, "{ 'execute': 'block-export-add',"
            " 'arguments': { 'type': 'nbd', 'id': 'e', 'node-name': 'n',"
            " 'writable': true } }");
        rig = rig_start(options, "virtio-blk-pci,drive=z", 1);
        vm = rig->vm;
        qtest_memset(vm->qts, PAGE(0), 0x11, len);
        ras_fail(vm, PAGE(1));
        g_assert_cmpuint(blk_do(rig, type, 64, PAGE(0), len), ==, IOERR);
        assert_failed(vm, PAGE(1));
        /* known now */
        g_assert_cmpuint(blk_do(rig, type, 64, PAGE(0), len), ==, IOERR);
        qtest_memset(vm->qts, PAGE(8), 0x22, len);
        g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(8), len), ==,
                         VIRTIO_BLK_S_OK);
        g_assert_cmphex(disk_byte(disk, len - 1), ==, 0x22);
        g_assert_cmphex(disk_byte(disk, len), ==, 0x5a);
        g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 32, PAGE(8), len), ==,
                         VIRTIO_BLK_S_OK);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(8)), ==, 0x5a);
        rig_quit(rig);
        qtest_quit(server);
        g_unlink(disk);
        g_unlink(path);
    }
}

/* Each request is done on two disks, and what comes of it is compared. */
static void copies(const char *driver, const char *first, const char *second)
{
    const uint64_t len = 4 * RAS_PAGE;

    for (int i = 0; i < 2; i++) {
        uint32_t type = i ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
        g_autofree char *a = make_disk(), *b = make_disk();
        g_autofree char *options = g_strdup_printf(
            "-S -drive if=none,id=z,driver=%s,"
            "%s.driver=raw,%s.file.driver=file,%s.file.filename=%s,"
            "%s.driver=raw,%s.file.driver=file,%s.file.filename=%s", driver,
            first, first, first, a, second, second, second, b);
        Rig *rig = rig_start(options, "virtio-blk-pci,drive=z", 1);
        RasVm *vm = rig->vm;

        qtest_memset(vm->qts, PAGE(0), 0x11, len);
        ras_fail(vm, PAGE(1));
        g_assert_cmpuint(blk_do(rig, type, 64, PAGE(0), len), ==, IOERR);
        assert_failed(vm, PAGE(1));
        /* known now */
        g_assert_cmpuint(blk_do(rig, type, 64, PAGE(0), len), ==, IOERR);
        qtest_memset(vm->qts, PAGE(8), 0x22, len);
        g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(8), len), ==,
                         VIRTIO_BLK_S_OK);
        g_assert_cmphex(disk_byte(a, len - 1), ==, 0x22);
        g_assert_cmphex(disk_byte(b, len - 1), ==, 0x22);
        g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 32, PAGE(8), len), ==,
                         VIRTIO_BLK_S_OK);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(8)), ==, 0x5a);
        rig_quit(rig);
        g_unlink(a);
        g_unlink(b);
    }
}

static void test_blkverify(void)
{
    copies("blkverify", "test", "raw");
}

static void test_quorum(void)
{
    copies("quorum,vote-threshold=2", "children.0", "children.1");
}

/* What is around a request */
static void test_blk_header(void)
{
    for (int status = 0; status < 2; status++) {
        Rig *rig = rig_start_blk();
        RasVm *vm = rig->vm;
        uint32_t head = blk_add(rig, 1, VIRTIO_BLK_T_OUT, 1, PAGE(0),
                                RAS_PAGE);

        if (status) {
            /* that of the request is in a page of its own */
            rig_quit(rig);
            rig = rig_start_blk();
            vm = rig->vm;
            qtest_memset(vm->qts, PAGE(256), 0, 16);
            head = rig_add(rig, 0, (Part []) {
                { PAGE(256), 16, false },
                { PAGE(0), SECTOR, true },
                { PAGE(2), 1, true },
            }, 3);
            ras_fail(vm, PAGE(2));
        } else {
            ras_fail(vm, PAGE(256 + 1));
        }
        rig_kick(rig, 0, head);
        assert_failed(vm, status ? PAGE(2) : PAGE(256 + 1));
        ras_wait_until(vm, rig_broken(rig) || used(rig, 0) == 1);
        rig_quit(rig);
    }
}

/*
 * Each part of a ring: the request is done, waits, or the device stops; QEMU
 * lives, and a reset of the device brings it back.
 */
static void ring(const char *options, const char *device)
{
    for (int part = 0; part < 3; part++) {
        Rig *rig = rig_start(options, device, 1);
        RasVm *vm = rig->vm;
        const uint64_t parts[] = {
            rig->vq[0]->desc, rig->vq[0]->avail, rig->vq[0]->used
        };
        uint32_t head;

        assert_disk_is_good(rig);
        head = blk_add(rig, 1, VIRTIO_BLK_T_IN, 0, PAGE(1), RAS_PAGE);
        ras_fail(vm, parts[part]);
        rig_kick(rig, 0, head);
        assert_failed(vm, parts[part]);

        rig_set_up(rig);
        assert_disk_is_good(rig);
        rig_quit(rig);
    }
}

static void test_ring(void)
{
    ring("-S", "virtio-blk-pci,drive=d,event_idx=off");
}

/* A device moves whose used ring has failed: it needs a reset then. */
static void test_used_ring_moves(void)
{
    Rig *rig = rig_start("-S", "virtio-blk-pci,drive=d", 1), *to;
    RasVm *vm = rig->vm;
    g_autofree char *file = ras_temp_file();
    uint32_t head = blk_add(rig, 1, VIRTIO_BLK_T_IN, 0, PAGE(0), SECTOR);

    /* more than the queue is long: an index of 0 would be impossible */
    for (int n = 1; n <= rig->vq[0]->size + 1; n++) {
        rig_kick_all(rig, 0, &head, 1);
        ras_wait_until(vm, used(rig, 0) == n);
    }
    ras_fail(vm, rig->vq[0]->used);
    ras_save(vm, file, "completed");
    assert_failed(vm, rig->vq[0]->used);

    to = rig_start("-S -incoming defer", "virtio-blk-pci,drive=d", 0);
    ras_load(to->vm, file);
    /* not in the same place */
    guest_alloc(&to->alloc, 1 * MiB);
    rig_set_up(to);
    assert_disk_is_good(to);
    rig_quit(to);
    g_unlink(file);
    rig_quit(rig);
}

/*
 * The device finds a request, whose header has failed, when the VM goes on:
 * QEMU ends if it is stock.
 */
static void found_on_its_own(const char *var, const char *options,
                             const char *device)
{
    Rig *rig = rig_start_binary(var, options, device, 1);
    RasVm *vm = rig->vm;
    uint32_t head = blk_add(rig, 1, VIRTIO_BLK_T_OUT, 0, PAGE(0), RAS_PAGE);

    ras_stop(vm);
    ras_fail(vm, PAGE(256 + 1));
    rig_offer(rig, 0, &head, 1);
    qtest_qmp_send(vm->qts, "{ 'execute': 'cont' }");
    if (var) {
        g_assert_cmpint(rig_killed_by(rig), ==, SIGBUS);
        return;
    }
    qobject_unref(qtest_qmp_receive(vm->qts));
    assert_failed(vm, PAGE(256 + 1));
    rig_quit(rig);
}

static void test_stock_main_thread(void)
{
    static const char device[] = "virtio-blk-pci,drive=d";

    if (ras_env_or_skip(ras_stock_binary())) {
        found_on_its_own(NULL, "", device);
        found_on_its_own(ras_stock_binary(), "", device);
    }
}

static void test_stock_iothread(void)
{
    static const char device[] = "virtio-blk-pci,drive=d,iothread=io";

    if (ras_env_or_skip(ras_stock_binary())) {
        found_on_its_own(NULL, "-object iothread,id=io", device);
        found_on_its_own(ras_stock_binary(), "-object iothread,id=io", device);
    }
}

/* The thread that has SIGBUS is neither the main one nor that of a vCPU. */
static void test_iothread(void)
{
    Rig *rig = rig_start("-object iothread,id=io",
                         "virtio-blk-pci,drive=d,iothread=io", 1);
    RasVm *vm = rig->vm;
    uint32_t head = blk_add(rig, 1, VIRTIO_BLK_T_OUT, 0, PAGE(0), RAS_PAGE);

    ras_fail(vm, PAGE(256 + 1));
    rig_kick(rig, 0, head);
    assert_failed(vm, PAGE(256 + 1));
    rig_quit(rig);

    rig = rig_start("-object iothread,id=io",
                    "virtio-blk-pci,drive=d,iothread=io", 1);
    vm = rig->vm;
    ras_fail(vm, PAGE(1));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 8, PAGE(1), RAS_PAGE), ==,
                     IOERR);
    assert_disk_is_good(rig);
    rig_quit(rig);

    ring("-object iothread,id=io",
         "virtio-blk-pci,drive=d,event_idx=off,iothread=io");
}

static void test_scsi(void)
{
    Rig *rig = rig_start("-S", "virtio-scsi-pci", 3);
    RasVm *vm = rig->vm;

    qtest_qmp_device_add(vm->qts, "scsi-hd", "h", "{ 'drive': 'd',"
                         " 'bus': 'v.0' }");
    scsi_read(rig, PAGE(8), 1);
    g_assert_cmpuint(scsi_read(rig, PAGE(8), 1), ==, 0);
    ras_fail(vm, PAGE(0));
    /* status or response: it is not good */
    scsi_read(rig, PAGE(0), 8);
    assert_failed(vm, PAGE(0));
    qtest_memset(vm->qts, PAGE(8), 0, SECTOR);
    g_assert_cmpuint(scsi_read(rig, PAGE(8), 1), ==, 0);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(8)), ==, 0x5a);
    g_assert_false(rig_broken(rig));
    rig_quit(rig);
}

static void test_ahci(void)
{
    AhciRig rig;
    RasVm *vm;

    ahci_start(&rig, "");
    vm = rig.vm;
    g_assert_false(ahci_read(&rig.ahci, PAGE(0), 2 * RAS_PAGE));
    ras_fail(vm, PAGE(1));
    g_assert_true(ahci_read(&rig.ahci, PAGE(0), 2 * RAS_PAGE));
    assert_failed(vm, PAGE(1));
    assert_ahci_is_good(&rig);
    ahci_quit(&rig);
}

/* One request of a device that has its data in the failed page */
static void one_request(const char *options, const char *device,
                        unsigned int queues, unsigned int queue, bool write)
{
    Rig *rig = rig_start(options, device, queues);
    RasVm *vm = rig->vm;
    Part part = { PAGE(1) - 4, 96, write };

    qtest_memset(vm->qts, PAGE(0), 0, RAS_PAGE);
    ras_fail(vm, PAGE(1));
    rig_kick(rig, queue, rig_add(rig, queue, &part, 1));
    assert_failed(vm, PAGE(1));
    ras_wait_until(vm, rig_broken(rig) || used(rig, queue) == 1);
    rig_quit(rig);
}

static void test_rng(void)
{
    one_request("", "virtio-rng-pci", 1, 0, true);
}

static void test_balloon(void)
{
    one_request("-S", "virtio-balloon-pci", 2, 0, false);
}

/* Pages in the balloon are given back, and good memory comes in their place. */
static void test_balloon_inflate(void)
{
    for (int known = 0; known < 2; known++) {
        Rig *rig = rig_start("-S", "virtio-balloon-pci", 2);
        RasVm *vm = rig->vm;
        uint8_t pfn[4];
        Part part = { PAGE(256), sizeof(pfn), false };

        qtest_memset(vm->qts, PAGE(0), 0x77, 3 * RAS_PAGE);
        ras_fail(vm, PAGE(1));
        if (known) {
            qtest_readb(vm->qts, PAGE(1));
            assert_failed(vm, PAGE(1));
        }
        stl_le_p(pfn, PAGE(1) >> VIRTIO_BALLOON_PFN_SHIFT);
        qtest_memwrite(vm->qts, PAGE(256), pfn, sizeof(pfn));
        rig_kick(rig, 0, rig_add(rig, 0, &part, 1));
        ras_wait_until(vm, used(rig, 0) == 1);
        g_assert_cmpuint(nr_failed(vm), ==, 0);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0);
        qtest_writeb(vm->qts, PAGE(1), 0x33);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x33);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(1) - 1), ==, 0x77);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(2)), ==, 0x77);
        g_assert_cmpuint(nr_failed(vm), ==, 0);
        g_assert_false(rig_broken(rig));
        rig_quit(rig);
    }
}

static void test_serial(void)
{
    /* the queue of control messages that the driver sends */
    one_request("-S", "virtio-serial-pci", 4, 3, false);
}

static void test_net(void)
{
    one_request("-netdev user,id=n", "virtio-net-pci,netdev=n,romfile=", 2, 1,
                false);
}

static void test_gpu(void)
{
    one_request("-S", "virtio-gpu-pci", 2, 0, false);
}

static void test_input(void)
{
    one_request("-S", "virtio-keyboard-pci", 2, 1, false);
}

/* --- devices that are not virtio: the test writes their registers --------- */

/* Registers of a device that has its ring, with one entry, in failed memory */
typedef struct Register {
    uint64_t offset, value;
    bool is_64_bit;
} Register;

#define MAPPED 0x800            /* the firmware below says so there */

/*
 * A firmware for pseries that has devices find one page of RAM at its address,
 * by H_PUT_TCE: on this machine they find nothing before.
 */
static char *mapping_firmware(uint64_t address)
{
    uint32_t entry[] = {
        0x38600020,                     /* li r3, H_PUT_TCE */
        0x3c808000,                     /* lis r4, LIOBN >> 16 */
        0x78840020,                     /* clrldi r4, r4, 32 */
        0x3ca00000 | address >> 16,     /* lis r5, address >> 16 */
        0x60a50000 | (address & 0xffff), /* ori r5, r5, address */
        0x60a60003,                     /* ori r6, r5, read and write */
        0x44000022,                     /* sc 1 */
        0x2c230000,                     /* cmpdi r3, H_SUCCESS */
        0x40820000,                     /* bne . */
        0x39000001,                     /* li r8, 1 */
        0x38e00000 | MAPPED,            /* li r7, MAPPED */
        0x91070000,                     /* stw r8, 0(r7) */
        0x48000000,                     /* b . */
    };
    uint32_t code[1024] = { 0 };
    char *name = ras_temp_file();

    for (size_t i = 0; i < ARRAY_SIZE(entry); i++) {
        code[0x100 / 4 + i] = cpu_to_be32(entry[i]);
    }
    g_assert_true(g_file_set_contents(name, (char *)code, sizeof(code), NULL));
    return name;
}

/* @ring: number of the register that gets the address of the failed page */
static void pci_ring(const char *options, const Register *reg, unsigned int n,
                     unsigned int ring, uint64_t alive)
{
    g_autofree char *args = g_strdup_printf("-accel tcg %s,addr=%d", options,
                                            SLOT);
    RasVm *vm;
    QGuestAllocator alloc;
    QGenericPCIBus generic;
    QPCIBusSPAPR spapr;
    QPCIBus *bus = &generic.bus;
    QPCIDevice *dev;
    QPCIBar bar;

    if (ras_on_arm()) {
        vm = ras_start(args);
    } else {
        g_autofree char *firmware = mapping_firmware(64 * MiB + RAS_PAGE);
        g_autofree char *more = g_strdup_printf("%s -bios %s", args, firmware);

        vm = ras_start(more);
        g_unlink(firmware);
        g_assert_cmphex(PAGE(1), ==, 64 * MiB + RAS_PAGE);
        ras_wait_until(vm, qtest_readl(vm->qts, MAPPED));
    }
    alloc_init(&alloc, ALLOC_NO_FLAGS, vm->ram + 32 * MiB, vm->ram + 48 * MiB,
               RAS_PAGE);
    if (ras_on_arm()) {
        qpci_init_generic(&generic, vm->qts, &alloc, false);
    } else {
        qpci_init_spapr(&spapr, vm->qts, &alloc);
        bus = &spapr.bus;
    }
    dev = qpci_device_find(bus, QPCI_DEVFN(SLOT, 0));
    g_assert_nonnull(dev);
    qpci_device_enable(dev);
    bar = qpci_iomap(dev, 0, NULL);
    ras_fail(vm, PAGE(1));
    for (unsigned int i = 0; i < n; i++) {
        uint64_t value = reg[i].value;

        if (i == ring) {
            value |= PAGE(1);
        }
        if (reg[i].is_64_bit) {
            qpci_io_writel(dev, bar, reg[i].offset, value);
            qpci_io_writel(dev, bar, reg[i].offset + 4, value >> 32);
        } else {
            qpci_io_writel(dev, bar, reg[i].offset, value);
        }
    }
    assert_failed(vm, PAGE(1));
    g_assert_cmphex(qpci_io_readl(dev, bar, alive), !=, UINT32_MAX);
    g_free(dev);
    alloc_destroy(&alloc);
    ras_quit(vm);
}

static void test_e1000(void)
{
    static const Register reg[] = {
        { 0x3800, 0, true },            /* TDBA */
        { 0x3808, 128 },                /* TDLEN */
        { 0x3810, 0 },                  /* TDH */
        { 0x0400, 2 },                  /* TCTL: enabled */
        { 0x3818, 1 },                  /* TDT */
    };

    pci_ring("-netdev user,id=n -device e1000,netdev=n,romfile=", reg,
             ARRAY_SIZE(reg), 0, 0x0008);
}

static void test_nvme(void)
{
    g_autofree char *disk = make_disk();
    g_autofree char *options = g_strdup_printf("-drive if=none,id=d,"
        "format=raw,file=%s -device nvme,serial=1,drive=d", disk);
    static const Register reg[] = {
        { 0x24, 0x00010001 },           /* AQA: two entries each */
        { 0x28, 0, true },              /* ASQ */
        { 0x30, 0x41000000, true },     /* ACQ */
        { 0x14, 0x00460001 },           /* CC: enabled */
        { 0x1000, 1 },                  /* tail of the admin queue */
    };

    pci_ring(options, reg, ARRAY_SIZE(reg), 1, 0x1c);
    g_unlink(disk);
}

static void test_xhci(void)
{
    static const Register reg[] = {
        { 0x40 + 0x18, 1, true },       /* CRCR */
        { 0x40, 1 },                    /* USBCMD: run */
        { 0x2000, 0 },                  /* doorbell of the command ring */
    };

    pci_ring("-device qemu-xhci", reg, ARRAY_SIZE(reg), 0, 0x44);
}

#define ITS             0x08080000
#define GITS_CTLR       (ITS + 0x00)
#define GITS_CBASER     (ITS + 0x80)
#define GITS_CWRITER    (ITS + 0x88)
#define GITS_CREADR     (ITS + 0x90)

/* An ITS that cannot read its commands says that it has stopped. */
static void test_its(void)
{
    RasVm *vm = ras_start("-accel tcg -S -machine gic-version=3");

    ras_fail(vm, PAGE(0));
    qtest_writeq(vm->qts, GITS_CBASER, 1ULL << 63 | PAGE(0));
    qtest_writel(vm->qts, GITS_CTLR, 1);
    qtest_writeq(vm->qts, GITS_CWRITER, 32);
    g_assert_cmphex(qtest_readq(vm->qts, GITS_CREADR), ==, 1);
    assert_failed(vm, PAGE(0));
    ras_quit(vm);
}

/* A hypercall, and a buffer that it is about */
static void test_nvram(void)
{
    RasVm *vm = ras_start("-accel tcg -S");

    qtest_memset(vm->qts, PAGE(0), 0x33, 16);
    g_assert_cmphex(nvram_call(vm, "nvram-store", PAGE(0)), ==, 0);
    ras_fail(vm, PAGE(0));
    g_assert_cmphex(nvram_call(vm, "nvram-store", PAGE(0)), ==, -1U);
    assert_failed(vm, PAGE(0));
    g_assert_cmphex(nvram_call(vm, "nvram-fetch", PAGE(1)), ==, 0);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x33);
    ras_quit(vm);
}

static void add(const char *name, void (*test)(void))
{
    g_autofree char *path = g_strdup_printf("/ras/failed-memory/%s", name);

    qtest_add_func(path, test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!ras_can_fail()) {
        return 0;
    }
    add("accesses", test_accesses);
    add("first-access", test_first_access);
    add("blk/pages", test_blk_pages);
    add("shared-file", test_shared_file);
    add("blk/direct", test_blk_direct);
    add("blk/zeroes", test_blk_zeroes);
    add("blk/many", test_blk_many);
    add("blk/neighbours", test_blk_neighbours);
    add("blk/unchecked", test_blk_unchecked);
    add("blk/neighbours-stopped", test_blk_neighbours_stopped);
    add("blk/neighbours-reset", test_blk_neighbours_reset);
    add("blk/header", test_blk_header);
    add("blk/no-space", test_blk_no_space);
    add("blk/nbd", test_nbd);
    add("blk/blkverify", test_blkverify);
    add("blk/quorum", test_quorum);
    add("ring", test_ring);
    add("ring/used-moves", test_used_ring_moves);
    add("stock/main-thread", test_stock_main_thread);
    add("stock/iothread", test_stock_iothread);
    add("iothread", test_iothread);
    add("scsi", test_scsi);
    add("rng", test_rng);
    add("balloon", test_balloon);
    add("balloon/inflate", test_balloon_inflate);
    add("serial", test_serial);
    add("net", test_net);
    add("gpu", test_gpu);
    add("input", test_input);
    add("e1000", test_e1000);
    add("nvme", test_nvme);
    add("xhci", test_xhci);
    if (ras_on_arm()) {
        add("ahci", test_ahci);
        add("its", test_its);
    } else {
        add("nvram", test_nvram);
    }
    return g_test_run();
}
