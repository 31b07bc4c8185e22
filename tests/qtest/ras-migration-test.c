/*
 * Guest RAS: what is in the migration stream, and what a load refuses
 *
 * A snapshot is changed in its file, and loaded again and again.
 *
 * Environment: RAS_FUZZ_SECONDS (default: a fixed number of streams) and
 * RAS_FUZZ_SEED.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "ras-qtest.h"

#define STREAMS 200

/* What begins a part of a stream, before its name, and what ends the stream */
#define SECTION_MARK    0x04
#define SUBSECTION_MARK 0x05
#define VERSION_SIZE    4
#define DESCRIPTION     "{\"configuration\": "

/* The section of guest RAS: its name, and how its description begins */
#define SECTION "ras"
#define SECTION_IS_THERE "\"name\": \"" SECTION "\""

#define SNAPSHOT "snapshot"

/* A VM, and the files that go with it */
typedef struct Side {
    RasVm *vm;
    char *disk;                 /* snapshots */
    char *messages;             /* its standard error */
} Side;

static const char *ras_on(void)
{
    return ras_on_arm() ? ",ras=on" : "";
}

static Side side_start(const char *var, const char *machine_options,
                       const char *options)
{
    Side side = { .disk = ras_temp_file(), .messages = ras_temp_file() };
    /* the command line goes through a shell */
    g_autofree char *all = g_strdup_printf("%s 2>%s", options, side.messages);

    side.vm = ras_start_binary(var, machine_options, all);
    return side;
}

static void side_end(Side *side)
{
    ras_quit(side->vm);
    g_unlink(side->disk);
    g_unlink(side->messages);
    g_free(side->disk);
    g_free(side->messages);
}

static void assert_said(Side *side, const char *pattern)
{
    g_autofree char *text = ras_read_file(side->messages, NULL);

    ras_assert_like(text, pattern);
}

/* --- snapshots ------------------------------------------------------------ */

static bool job_is_concluded(RasVm *vm)
{
    QDict *answer = qtest_qmp(vm->qts, "{ 'execute': 'query-jobs' }");
    const QListEntry *job = qlist_first(qdict_get_qlist(answer, "return"));
    bool is = g_str_equal(qdict_get_str(qobject_to(QDict, qlist_entry_obj(job)),
                                        "status"), "concluded");

    qobject_unref(answer);
    return is;
}

/* blockdev-create with these options, and wait for it */
static void create_image(RasVm *vm, QDict *options)
{
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'blockdev-create',"
        " 'arguments': { 'job-id': 'job', 'options': %p } }", options);
    ras_wait_until(vm, job_is_concluded(vm));
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'job-dismiss',"
                             " 'arguments': { 'id': 'job' } }");
}

/* Clusters so large that the stream is in one piece */
static void add_disk(Side *side)
{
    RasVm *vm = side->vm;

    create_image(vm, qdict_from_jsonf_nofail(
        "{ 'driver': 'file', 'filename': %s, 'size': 0 }", side->disk));
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'blockdev-add',"
        " 'arguments': { 'driver': 'file', 'node-name': 'file',"
        " 'filename': %s } }", side->disk);
    create_image(vm, qdict_from_jsonf_nofail(
        "{ 'driver': 'qcow2', 'file': 'file', 'size': 1048576,"
        " 'cluster-size': 2097152 }"));
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'blockdev-add',"
        " 'arguments': { 'driver': 'qcow2', 'node-name': 'disk',"
        " 'file': 'file' } }");
}

static void save_snapshot(Side *side)
{
    g_autofree char *said = qtest_hmp(side->vm->qts, "savevm " SNAPSHOT);

    g_assert_cmpstr(said, ==, "");
}

/* Was it loaded?  QEMU says more than errors: what is left out in TCG, say. */
static bool load_snapshot(Side *side, char **said)
{
    *said = qtest_hmp(side->vm->qts, "loadvm " SNAPSHOT);
    return !strstr(*said, "Error: ");
}

static void assert_loads(Side *side)
{
    g_autofree char *said = NULL;

    if (!load_snapshot(side, &said)) {
        g_error("not loaded: %s", said);
    }
}

/*
 * A section or subsection of a stream: its version, then its fields.  Where
 * they are is known from the description at the end of the stream.
 */
typedef struct Part {
    long at;                    /* in the file */
    size_t len;
    uint8_t *data;
    QList *fields;
} Part;

/* The part of that name in a description, or in what it consists of */
static const QDict *find_description(QObject *obj, const char *name)
{
    const QDict *found = NULL, *dict = qobject_to(QDict, obj);
    QListEntry *item;

    if (dict) {
        if (!g_strcmp0(qdict_get_try_str(dict, "vmsd_name"), name)) {
            return dict;
        }
        for (const QDictEntry *e = qdict_first(dict); e && !found;
             e = qdict_next(dict, e)) {
            found = find_description(qdict_entry_value(e), name);
        }
    } else if (qobject_to(QList, obj)) {
        QLIST_FOREACH_ENTRY(qobject_to(QList, obj), item) {
            found = found ?: find_description(qlist_entry_obj(item), name);
        }
    }
    return found;
}

/* How many elements of an array one description is of */
static int64_t elements(const QDict *field)
{
    return qdict_get_try_int(field, "array_len", 1);
}

static size_t size_of(const QList *fields)
{
    const QListEntry *item;
    size_t size = 0;

    QLIST_FOREACH_ENTRY(fields, item) {
        const QDict *field = qobject_to(QDict, qlist_entry_obj(item));

        size += elements(field) * qdict_get_int(field, "size");
    }
    return size;
}

/* Where a field is, and its size, in bytes: "errors[1]/error/len" */
static size_t find_among(const QList *fields, const char *path, size_t *size)
{
    size_t name_len = strcspn(path, "[/"), offset = 0;
    const char *rest = path + strcspn(path, "/");
    int wanted = path[name_len] == '[' ? atoi(path + name_len + 1) : 0;
    const QListEntry *item;

    QLIST_FOREACH_ENTRY(fields, item) {
        const QDict *field = qobject_to(QDict, qlist_entry_obj(item));
        const char *name = qdict_get_str(field, "name");
        int n = elements(field);

        *size = qdict_get_int(field, "size");
        if (strlen(name) != name_len || memcmp(name, path, name_len)) {
            offset += n * *size;
        } else if (wanted >= n) {
            /* elements that are described one by one have one name */
            offset += n * *size;
            wanted -= n;
        } else {
            offset += wanted * *size;
            if (*rest) {
                const QDict *inner = qdict_get_qdict(field, "struct");

                offset += find_among(qdict_get_qlist(inner, "fields"), rest + 1,
                                     size);
            }
            return offset;
        }
    }
    g_error("no field %s", path);
}

/* In the data of a part: a field, or "version" */
static uint8_t *find_field(const Part *part, uint8_t *data, const char *path,
                           size_t *size)
{
    if (g_str_equal(path, "version")) {
        *size = VERSION_SIZE;
        return data;
    }
    return data + VERSION_SIZE + find_among(part->fields, path, size);
}

static uint8_t *field_of(const Part *part, const char *path)
{
    size_t size;

    return find_field(part, part->data, path, &size);
}

/* The version of the part whose name is at found, if it begins one */
static const char *version_behind(const char *found, const char *name)
{
    static const uint8_t instance[4];
    size_t len = strlen(name);

    if (found[-1] != len) {
        return NULL;
    }
    if (found[-6] == SECTION_MARK &&
        !memcmp(found + len, instance, sizeof(instance))) {
        return found + len + sizeof(instance);
    }
    return found[-2] == SUBSECTION_MARK ? found + len : NULL;
}

static Part find_part_in(const char *file, size_t size, const char *name)
{
    const char *text = memmem(file, size, DESCRIPTION, strlen(DESCRIPTION));
    const char *found = file, *version;
    g_autofree char *json = NULL;
    const QDict *description;
    QObject *all;
    Part part;

    g_assert_nonnull(text);
    json = g_strndup(text, ldl_be_p(text - 4));
    all = qobject_from_json(json, &error_abort);
    description = find_description(all, name);
    g_assert_nonnull(description);
    do {
        found = memmem(found + 1, file + size - found - 1, name, strlen(name));
        g_assert_nonnull(found);
        version = version_behind(found, name);
    } while (!version);
    part.at = version - file;
    part.fields = qobject_ref(qdict_get_qlist(description, "fields"));
    part.len = VERSION_SIZE + size_of(part.fields);
    g_assert_cmpint(ldl_be_p(file + part.at), ==,
                    qdict_get_int(description, "version"));
    g_assert_cmpuint(part.at + part.len, <=, size);
    part.data = g_memdup2(file + part.at, part.len);
    qobject_unref(all);
    return part;
}

/* Of the snapshot */
static Part find_part(Side *side, const char *name)
{
    size_t size;
    g_autofree char *file = ras_read_file(side->disk, &size);

    return find_part_in(file, size, name);
}

static void part_end(Part *part)
{
    qobject_unref(part->fields);
    g_free(part->data);
}

static void write_part(Side *side, const Part *part, const uint8_t *data)
{
    FILE *f = fopen(side->disk, "r+");

    g_assert_nonnull(f);
    g_assert_cmpint(fseek(f, part->at, SEEK_SET), ==, 0);
    g_assert_cmpuint(fwrite(data, part->len, 1, f), ==, 1);
    g_assert_cmpint(fclose(f), ==, 0);
}

static void put(uint8_t *at, unsigned int size, uint64_t value)
{
    switch (size) {
    case 1:
        *at = value;
        break;
    case 4:
        stl_be_p(at, value);
        break;
    default:
        stq_be_p(at, value);
        break;
    }
}

static void put_field(const Part *part, uint8_t *data, const char *path,
                      uint64_t value)
{
    size_t size;
    uint8_t *at = find_field(part, data, path, &size);

    put(at, size, value);
}

static uint64_t page_of(RasVm *vm, unsigned int i)
{
    return vm->ram + (64 + i) * RAS_PAGE;
}

/* Two errors that wait, and two poisoned ranges. */
static void make_errors(RasVm *vm)
{
    ras_consume(vm, vm->ram, 0);
    ras_consume(vm, vm->ram + RAS_PAGE, 0);
    ras_poison(vm, page_of(vm, 0), RAS_PAGE);
    ras_poison(vm, page_of(vm, 4), 2 * RAS_PAGE);
}

static void assert_empty(RasVm *vm)
{
    ras_assert_part(vm, "queue", "[]");
    ras_assert_part(vm, "parked", "[]");
    ras_assert_part(vm, "poisoned", "[]");
    ras_assert_count(vm, "in-flight", 0);
}

static void assert_has_errors(RasVm *vm)
{
    ras_assert_state(vm, 1, "queued");
    ras_assert_state(vm, 2, "queued");
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_assert_count(vm, "in-flight", 2);
    ras_assert_count(vm, "accepted", 2);
}

/* The section is there if there is something to say, and only then. */
static void test_needed(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S");
    RasVm *vm = side.vm;
    const struct {
        bool poison, error, needed;
    } cases[] = {
        { false, false, false },
        { true, false, true },
        { false, true, true },
        { true, true, true },
        { false, false, false },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *file = ras_temp_file();
        g_autofree char *data = NULL;
        size_t len;

        if (cases[i].poison) {
            ras_poison(vm, page_of(vm, 0), RAS_PAGE);
        }
        if (cases[i].error) {
            ras_consume(vm, vm->ram, 0);
        }
        ras_save(vm, file, "completed");
        data = ras_read_file(file, &len);
        g_assert_cmpint(memmem(data, len, SECTION_IS_THERE,
                               strlen(SECTION_IS_THERE)) != NULL, ==,
                        cases[i].needed);
        ras_reset(vm);
        g_unlink(file);
    }
    side_end(&side);
}

/* Loaded by a VM that has errors of its own: as it was saved. */
static void test_replaces(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S");
    RasVm *vm = side.vm;
    QDict *saved;

    add_disk(&side);
    for (int i = 0; i < 100; i++) {
        ras_consume(vm, vm->ram, 0);
    }
    ras_poison(vm, page_of(vm, 0), RAS_PAGE);
    saved = ras_query(vm);
    save_snapshot(&side);
    for (int i = 0; i < 3; i++) {
        QDict *is;
        g_autoptr(GString) expected = NULL, found = NULL;

        ras_reset(vm);
        ras_poison(vm, page_of(vm, 0), 2 * RAS_PAGE);
        for (int n = 0; n < 300; n++) {
            ras_consume(vm, vm->ram + RAS_PAGE, 0);
        }
        assert_loads(&side);
        is = ras_query(vm);
        expected = qobject_to_json(QOBJECT(saved));
        found = qobject_to_json(QOBJECT(is));
        g_assert_cmpstr(found->str, ==, expected->str);
        qobject_unref(is);
        ras_drop_events(vm);
    }
    qobject_unref(saved);
    side_end(&side);
}

/* A field of a part, and what it becomes */
typedef struct Change {
    const char *field;
    uint64_t value;
} Change;

/* With up to @n changes the load fails, says why, and leaves nothing. */
static void assert_not_loaded(Side *side, const Part *part,
                              const Change *change, int n, const char *message)
{
    g_autofree uint8_t *bad = g_memdup2(part->data, part->len);
    g_autofree char *said = NULL;

    for (int i = 0; i < n && change[i].field; i++) {
        put_field(part, bad, change[i].field, change[i].value);
    }
    write_part(side, part, bad);
    if (load_snapshot(side, &said) || !g_pattern_match_simple(message, said)) {
        g_error("%s, value 0x%" PRIx64 ": QEMU says '%s'", change[0].field,
                change[0].value, said);
    }
    assert_empty(side->vm);
}

/* No queue can hold that. */
static void test_bad_content(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S");
    RasVm *vm = side.vm;
    const struct {
        const char *field;
        uint64_t value;
        const char *message;
    } cases[] = {
        { "version", 0, "*version_id 0 is too old*" },
        { "version", 2, "*unsupported version 2*" },
        { "last_id", UINT64_MAX, "*number of the last error*" },
        { "last_id", 1ULL << 63, "*number of the last error*" },
        { "counts.accepted", 3, "*counters do not add up*" },
        { "counts.recorded", 9, "*counters do not add up*" },
        { "counts.notified", 9, "*counters do not add up*" },
        { "poison_consumed", 1, "*counters do not add up*" },
        { "panic_is_due", 1, "*stops the machine*" },
        { "errors[0]/blocked_until_reset", 1, "*stops the machine*" },
        { "nr_errors", 2049, "*number of errors*" },
        { "nr_errors", INT32_MAX, "*number of errors*" },
        { "nr_errors", -1, "*number of errors*" },
        { "errors[0]/id", 0, "*error 0: bad order or number*" },
        { "errors[0]/id", 7, "*error 7: bad order or number*" },
        { "errors[1]/id", 1, "*error 1: bad order or number*" },
        { "errors[0]/state", 0, "*error 1: bad state*" },
        { "errors[0]/state", 2, "*error 1: bad state*" },
        { "errors[0]/state", 255, "*error 1: bad state*" },
        { "errors[0]/state", UINT32_MAX, "*error 1: bad state*" },
        /* notified without a record: that error would be over */
        { "errors[0]/state", 3, "*error 1: bad order or number*" },
        { "errors[0]/recorded", 1, "*error 1: bad order or number*" },
        { "errors[0]/error/class", 200, "*error 1: bad class, *" },
        { "errors[0]/error/class", UINT32_MAX, "*error 1: bad class, *" },
        { "errors[0]/error/severity", 200, "*error 1: bad class, severity*" },
        { "errors[0]/error/origin", 200, "*error 1: bad class,*origin*" },
        { "errors[0]/error/access", 200, "*error 1: bad class,*access*" },
        { "errors[0]/error/channel", 1, "*error 1: bad source,*ras-ghes=on*" },
        { "errors[0]/error/channel", 200, "*error 1: bad source*" },
        { "errors[0]/error/channel", UINT32_MAX, "*error 1: bad source*" },
        { "errors[0]/error/synchronous", 0, "*error 1: bad source*" },
        { "errors[0]/error/limited", 1, "*error 1: bad severity*" },
        { "errors[1]/error/vcpu", 2, "*error 2: bad vCPU,*-smp*" },
        { "errors[1]/error/vcpu", -1, "*error 2: bad vCPU*" },
        { "errors[0]/error/len", 100, "*error 1: bad address or length*" },
        { "errors[0]/error/len", 0, "*error 1: bad address or length*" },
        { "errors[0]/error/has_addr", 0, "*error 1: bad address or length*" },
        { "errors[0]/error/addr", 0xdead0000,
          "*error 1: bad address or length*" },
        { "errors[0]/error/first", 100, "*error 1: bad address or length*" },
        { "errors[0]/error/first", -RAS_PAGE,
          "*error 1: bad address or length*" },
        { "errors[0]/len_acknowledged", RAS_PAGE + 1,
          "*error 1: bad address or length*" },
        { "errors[0]/len_acknowledged", RAS_PAGE,
          "*error 1: bad address or length*" },
        { "errors[0]/len_recorded", RAS_PAGE,
          "*error 1: bad address or length*" },
        { "errors[0]/len_recorded", UINT64_MAX,
          "*error 1: bad address or length*" },
        { "errors[0]/error/record_len", 100, "*error 1: bad record*" },
        { "errors[0]/error/record_len", UINT32_MAX, "*error 1: bad record*" },
        { "nr_records", 3, "*number of records*" },
        { "nr_records", -1, "*number of records*" },
        { "nr_poison", RAS_POISONED_RANGES + 1, "*number of poisoned*" },
        { "nr_poison", -1, "*number of poisoned*" },
        { "poison[0]/addr", page_of(vm, 0) + 8,
          "*poison: *not a multiple*" },
        { "poison[0]/addr", page_of(vm, 5), "*already poisoned*" },
        { "poison[1]/addr", page_of(vm, 0), "*already poisoned*" },
        { "poison[0]/addr", 1ull << 45, "*not RAM of the guest*" },
        { "poison[0]/len", 0, "*not a positive multiple*" },
        { "poison[0]/len", -RAS_PAGE, "*past the end*" },
        { "poison[0]/severity", 200, "*bad severity 200*" },
        { "poison[0]/severity", UINT32_MAX, "*bad severity*" },
        { "poison[0]/severity", 0, "*poison: *'corrected'*" },
    };
    Part part;

    add_disk(&side);
    make_errors(vm);
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        const Change change = { cases[i].field, cases[i].value };

        assert_not_loaded(&side, &part, &change, 1, cases[i].message);
    }
    /* nothing else was the reason, and nothing stayed */
    write_part(&side, &part, part.data);
    assert_loads(&side);
    assert_has_errors(vm);
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, 3);
    part_end(&part);
    side_end(&side);
}

/*
 * The greatest number that is loaded, and the errors after it: number 0 would
 * be none, and end QEMU.
 */
static void test_last_number(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S");
    RasVm *vm = side.vm;
    g_autofree char *said = NULL;
    Part part;

    add_disk(&side);
    make_errors(vm);
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    put_field(&part, part.data, "last_id", INT64_MAX);
    write_part(&side, &part, part.data);
    assert_loads(&side);
    assert_has_errors(vm);
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, 1ULL << 63);
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, (1ULL << 63) + 1);
    ras_assert_count(vm, "in-flight", 4);
    /* such numbers can be saved, but not loaded */
    save_snapshot(&side);
    g_assert_false(load_snapshot(&side, &said));
    ras_assert_like(said, "*number of the last error*");
    assert_empty(vm);
    part_end(&part);
    side_end(&side);
}

/*
 * What no source would report, so that no record could be made of it, and
 * nothing would ever follow.
 */
static void test_bad_asynchronous(void)
{
    const struct {
        Change change[3];
        const char *message;
    } cases[] = {
        { { { "errors[0]/error/len", 0 } }, "*address or length*" },
        { { { "errors[0]/error/len", 0 }, { "errors[0]/error/has_addr", 0 },
            { "errors[0]/error/first", 0 } }, "*no memory*" },
        { { { "errors[0]/error/class", 1 } }, "*class*" },
        { { { "errors[0]/error/vcpu", 0 } }, "*vCPU*" },
        { { { "errors[0]/error/synchronous", 1 } }, "*source*" },
        { { { "errors[0]/error/origin", 1 } }, "*source*" },
        { { { "errors[0]/error/access", 1 } }, "*access*" },
        { { { "errors[0]/error/limited", 1 } }, "*severity*" },
        { { { "errors[0]/error/moved", 1 } }, "*access*" },
        { { { "errors[0]/len_acknowledged", RAS_PAGE } },
          "*address or length*" },
        /* as for a vCPU, which cannot take it */
        { { { "errors[0]/error/channel", 0 },
            { "errors[0]/error/synchronous", 1 },
            { "errors[0]/error/vcpu", 0 } }, "*corrected error is no abort*" },
    };
    Side side = side_start(NULL, ",ras=on,ras-ghes=on", "-accel tcg -S");
    RasVm *vm = side.vm;
    Part part;

    add_disk(&side);
    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity':"
               " 'corrected', 'address': %" PRIu64 " }", page_of(vm, 0));
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *message = g_strconcat("*cannot load error 1: ",
                                               cases[i].message, NULL);

        assert_not_loaded(&side, &part, cases[i].change, 3, message);
    }
    write_part(&side, &part, part.data);
    assert_loads(&side);
    ras_assert_count(vm, "in-flight", 1);
    part_end(&part);
    side_end(&side);
}

/* Of the syndrome of an SError, only what belongs to it gets to the vCPU. */
static void test_bad_syndrome(void)
{
    static const char name[] = "cpu/serror", field[] = "env.serror.esr";
    Side side = side_start(NULL, ",ras=on", "-accel tcg -S");
    RasVm *vm = side.vm;
    g_autofree char *file = ras_temp_file();
    g_autofree char *data = NULL;
    Part part, saved;
    size_t len;

    add_disk(&side);
    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0, 'syndrome': 17 }");
    save_snapshot(&side);
    part = find_part(&side, name);
    g_assert_cmphex(ldq_be_p(field_of(&part, field)), ==, 17);
    put_field(&part, part.data, field, UINT64_MAX);
    write_part(&side, &part, part.data);
    assert_loads(&side);
    ras_save(vm, file, "completed");
    data = ras_read_file(file, &len);
    saved = find_part_in(data, len, name);
    g_assert_cmphex(ldq_be_p(field_of(&saved, field)), ==, 0x1ffffff);
    g_unlink(file);
    part_end(&saved);
    part_end(&part);
    side_end(&side);
}

static uint64_t mail(RasVm *vm, uint64_t offset)
{
    return qtest_readq(vm->qts, RAS_ARM_MAILBOX + offset);
}

/*
 * An abort that KVM has seen is taken with its own syndrome, but for the level
 * that it comes from; with another one, if no CPU has such a syndrome.
 */
static void test_abort_syndrome(void)
{
    static const uint64_t good[] = {
        0x92000010, 0x82000010, 0x96000010, 0x86000010,
        /* WnR, S1PTW, with CM, EA, FnV, SET, all */
        0x92000050, 0x92000090, 0x92000150, 0x92000210, 0x92000410, 0x92001010,
        0x92001810, 0x92001fd0, 0x82001690,
        /* walks, parity */
        0x92000012, 0x82000217, 0x92001017, 0x92000018, 0x8200001b, 0x9200005f,
    };
    static const uint64_t bad[] = {
        0, 0xbe000011, 0x8a000010, 0x9a000010,      /* other EC */
        0x90000010, 0x80000010,                     /* IL */
        0x93000010, 0x92004010, 0x92002010, 0x92008010, 0x82400010,
        0x100000000 | 0x92000010,
        0x92000007, 0x92000011, 0x92000019,         /* FSC */
        0x92000810, 0x92001018, 0x92000414,         /* SET, FnV */
        0x82000050, 0x82000150, 0x92000110,         /* WnR, CM */
    };
    const uint32_t same_el = 1 << 26;
    const uint32_t without = 0x96000410;            /* a load, FnV */
    Side side = side_start(NULL, ",ras=on", "-accel tcg -S");
    RasVm *vm = side.vm;
    Part part;

    add_disk(&side);
    ras_consume(vm, vm->ram + RAS_PAGE, 0);
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    put_field(&part, part.data, "errors[0]/error/syndrome.valid", true);
    for (int i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
        bool is_good = i < ARRAY_SIZE(good);
        uint64_t esr = is_good ? good[i] : bad[i - ARRAY_SIZE(good)];

        put_field(&part, part.data, "errors[0]/error/syndrome.srr1", esr);
        write_part(&side, &part, part.data);
        assert_loads(&side);
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'cont' }");
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR), ==,
                        is_good ? esr | same_el : without);
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'stop' }");
        ras_drop_events(vm);
    }
    part_end(&part);
    side_end(&side);
}

/*
 * Saved when the guest was check-stopped, but GUEST_PANICKED not sent yet: it
 * is sent where the guest is run next, and only once.
 */
static void test_panic_moves(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S "
                           "-action panic=pause");
    RasVm *vm = side.vm;
    g_autofree uint8_t *data = NULL;
    g_autofree char *why = NULL;
    Part part;

    add_disk(&side);
    make_errors(vm);
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    data = g_memdup2(part.data, part.len);
    put_field(&part, data, "check_stopped", true);
    put_field(&part, data, "panic_is_due", true);
    put_field(&part, data, "errors[0]/blocked_until_reset", true);
    write_part(&side, &part, data);
    ras_drop_events(vm);
    assert_loads(&side);
    assert_has_errors(vm);
    g_assert_cmpuint(vm->panics, ==, 0);
    ras_cont(vm);
    ras_wait_until(vm, ras_run_state_is(vm, "guest-panicked"));
    g_assert_cmpuint(vm->panics, ==, 1);
    why = ras_lost(vm);
    ras_assert_like(why, "1: check-stopped before *");
    ras_cont(vm);
    ras_stop(vm);
    g_assert_cmpuint(vm->panics, ==, 1);
    assert_has_errors(vm);
    ras_reset(vm);
    assert_empty(vm);
    part_end(&part);
    side_end(&side);
}

/* Loaded twice while it is stopped: it runs, as it was loaded last. */
static void test_loaded_twice(void)
{
    Side side = side_start(NULL, ras_on(), "-accel tcg -S");
    RasVm *vm = side.vm;

    add_disk(&side);
    make_errors(vm);
    save_snapshot(&side);
    for (int i = 0; i < 3; i++) {
        assert_loads(&side);
        assert_loads(&side);
        assert_has_errors(vm);
        ras_cont(vm);
        ras_wait_until(vm, ras_run_state_is(vm, "running"));
        ras_stop(vm);
    }
    side_end(&side);
}

/* ras-ghes=on: its source with an interrupt, from ras-arm-ghes.h */
#define ACKNOWLEDGE 0x0b000018
#define BLOCK       0x0b014000

/*
 * The record of the next pages of a burst is out: it is acknowledged.  Returns
 * the number of pages.
 */
static unsigned int acknowledge_pages(RasVm *vm, unsigned int first)
{
    unsigned int n = qtest_readl(vm->qts, BLOCK + 12) / 152;

    g_assert_cmphex(qtest_readq(vm->qts, ACKNOWLEDGE), ==, 0);
    for (unsigned int i = 0; i < n; i++) {
        g_assert_cmphex(qtest_readq(vm->qts, BLOCK + 20 + i * 152 + 72 + 16),
                        ==, page_of(vm, first + i));
    }
    qtest_writeq(vm->qts, ACKNOWLEDGE, 1);
    g_assert_cmphex(qtest_readq(vm->qts, ACKNOWLEDGE), ==, 1);
    return n;
}

/*
 * Saved in the middle of a burst, in the pause between two records, or when the
 * second one is out; loaded when all of it is over, and in the pause of another
 * burst.  It goes on as it was, to the last page.
 */
static void test_burst(const void *data)
{
    const bool pause = GPOINTER_TO_INT(data);
    const unsigned int pages = 20;
    Side side = side_start(NULL, ",ras=on,ras-ghes=on", "");
    RasVm *vm = side.vm;
    g_autoptr(GString) counters = NULL;
    QDict *saved;

    add_disk(&side);
    for (unsigned int i = 0; i < pages; i++) {
        ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity':"
                   " 'recoverable', 'address': %" PRIu64 " }", page_of(vm, i));
    }
    g_assert_cmpuint(acknowledge_pages(vm, 0), ==, 1);
    /* 4 ms for the page, of which one is over */
    qtest_clock_step(vm->qts, SCALE_MS);
    if (!pause) {
        qtest_clock_step(vm->qts, 3 * SCALE_MS);
    }
    saved = ras_query(vm);
    counters = qobject_to_json(qdict_get(saved, "counters"));
    save_snapshot(&side);
    for (int i = 0; i < 4; i++) {
        unsigned int told = 1;

        if (pause) {
            qtest_clock_step(vm->qts, 3 * SCALE_MS - 1);
            g_assert_cmphex(qtest_readq(vm->qts, ACKNOWLEDGE), ==, 1);
            qtest_clock_step(vm->qts, 1);
        }
        while (told < pages) {
            told += acknowledge_pages(vm, told);
            qtest_clock_step(vm->qts, SCALE_MS * 1000);
        }
        ras_assert_count(vm, "acknowledged", pages);
        ras_assert_count(vm, "in-flight", 0);
        if (i == 1) {
            ras_reset(vm);
        } else if (i == 2) {
            ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity':"
                       " 'recoverable', 'address': %" PRIu64 ", 'length': %"
                       PRIu64 " }", page_of(vm, 0), 10 * RAS_PAGE);
            acknowledge_pages(vm, 0);
        }
        assert_loads(&side);
        ras_wait_until(vm, ras_run_state_is(vm, "running"));
        ras_assert_part(vm, "counters", counters->str);
        ras_drop_events(vm);
    }
    qobject_unref(saved);
    side_end(&side);
}

/*
 * Saved when a vCPU had taken an exception without a record, and had yet to run
 * before the next one: after a reset nothing of that is left.
 */
static void test_bare_vcpu_reset(void)
{
    Side side = side_start(NULL, ras_on(), "-S");
    RasVm *vm = side.vm;
    g_autofree uint8_t *bare = NULL;
    Part part;

    add_disk(&side);
    ras_consume(vm, vm->ram, 0);
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    bare = g_memdup2(part.data, part.len);
    g_assert_cmpint(ldl_be_p(field_of(&part, "unrecorded_vcpu")), ==, -1);
    put_field(&part, bare, "unrecorded_vcpu", 0);
    write_part(&side, &part, bare);
    assert_loads(&side);
    ras_cont(vm);
    /* here vCPUs do not run, so the next one does not come */
    qobject_unref(ras_query(vm));
    ras_assert_state(vm, 1, "queued");
    ras_reset(vm);
    ras_consume(vm, vm->ram, 0);
    ras_wait_count(vm, "delivered", 1);
    part_end(&part);
    side_end(&side);
}

/*
 * Two errors whose records are in the stream: that of the first becomes shorter
 * than any record can be, and that of the second longer by as much.
 */
static uint8_t *move_boundary(const Part *part)
{
    const uint8_t *second = field_of(part, "records[1]/len");
    size_t begins = field_of(part, "records[0]/data") - part->data;
    uint32_t len = ldl_be_p(field_of(part, "records[0]/len"));
    uint32_t longer = ldl_be_p(second) + len - 3;
    uint8_t *bad = g_memdup2(part->data, part->len);

    put_field(part, bad, "errors[0]/error/record_len", 3);
    put_field(part, bad, "records[0]/len", 3);
    put_field(part, bad, "errors[1]/error/record_len", longer);
    put(bad + begins + 3, 4, longer);
    return bad;
}

static void assert_refused(Side *side, const Part *part, const uint8_t *bad,
                           const char *message)
{
    g_autofree char *said = NULL;

    write_part(side, part, bad);
    if (load_snapshot(side, &said)) {
        /* what would happen then */
        ras_cont(side->vm);
        qobject_unref(ras_query(side->vm));
        g_error("loaded, and not refused with '%s'", message);
    }
    ras_assert_like(said, message);
    assert_empty(side->vm);
}

/* Records that the guest could not read, or QEMU could not write */
static void test_bad_record(void)
{
    /* offsets in the block: ACPI 6.5 18.3.2.7.1 */
    const struct {
        int offset;
        uint8_t value;
    } bytes[] = {
        { 0, 0 },               /* block status: empty */
        { 12, 0xff },           /* data length */
        { 16, 1 },              /* another severity */
        { 16, 9 },              /* none */
    };
    const struct {
        const char *field;
        uint32_t value;
        const char *message;
    } fields[] = {
        { "errors[0]/error/record_len", 100, "*error 1: bad record*" },
        { "errors[0]/error/record_len", 0, "*error 1: bad class*" },
        { "errors[1]/error/record_len", 100, "*error 2: bad record*" },
        { "records[0]/len", UINT32_MAX, "*length of a record*" },
    };
    Side side = side_start(NULL, ",ras=on,ras-ghes=on", "-accel tcg -S");
    RasVm *vm = side.vm;
    g_autofree uint8_t *shifted = NULL;
    size_t record;
    Part part;

    add_disk(&side);
    for (int i = 0; i < 2; i++) {
        ras_inject(vm, "{ 'kind': 'arm-processor', 'type': 'cache',"
                   " 'vcpu': 0, 'severity': 'corrected' }");
    }
    save_snapshot(&side);
    part = find_part(&side, SECTION);
    record = field_of(&part, "records[0]/data") - part.data;
    for (int i = 0; i < ARRAY_SIZE(bytes); i++) {
        g_autofree uint8_t *bad = g_memdup2(part.data, part.len);

        bad[record + bytes[i].offset] = bytes[i].value;
        assert_refused(&side, &part, bad, "*error 1: bad record*");
    }
    for (int i = 0; i < ARRAY_SIZE(fields); i++) {
        g_autofree uint8_t *bad = g_memdup2(part.data, part.len);

        put_field(&part, bad, fields[i].field, fields[i].value);
        assert_refused(&side, &part, bad, fields[i].message);
    }
    shifted = move_boundary(&part);
    assert_refused(&side, &part, shifted, "*error 1: bad record*");
    write_part(&side, &part, part.data);
    assert_loads(&side);
    ras_assert_count(vm, "in-flight", 2);
    part_end(&part);
    side_end(&side);
}

/* Cut off in our part: QEMU ends with a message, as with any bad stream. */
static void test_truncated(void)
{
    static const char *const fields[] = {
        "last_id", "counts.accepted", "nr_errors", "errors[1]/state",
        "poison[1]/len",
    };
    Side from = side_start(NULL, ras_on(), "-accel tcg -S");
    g_autofree char *file = ras_temp_file();
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *data = NULL;
    Part part;
    size_t len;

    make_errors(from.vm);
    ras_save(from.vm, file, "completed");
    side_end(&from);
    data = ras_read_file(file, &len);
    part = find_part_in(data, len, SECTION);
    for (int i = 0; i < ARRAY_SIZE(fields); i++) {
        /* in the middle of the field */
        long end = part.at + (field_of(&part, fields[i]) - part.data) + 1;
        Side to = side_start(NULL, ras_on(), "-accel tcg -S -incoming defer");

        g_assert_cmpint(truncate(file, end), ==, 0);
        qtest_set_expected_status(to.vm->qts, 1);
        qtest_qmp_assert_success(to.vm->qts, "{ 'execute': 'migrate-incoming',"
                                 " 'arguments': { 'uri': %s } }", uri);
        qtest_wait_qemu(to.vm->qts);
        assert_said(&to, "*load of migration failed*");
        side_end(&to);
        g_assert_true(g_file_set_contents(file, data, len, NULL));
    }
    part_end(&part);
    g_unlink(file);
}

/* --- a destination that lacks something ----------------------------------- */

/*
 * The VM goes on where it is.  Our messages and QEMU's own, which belong to
 * devices that exist on one side only.
 */
static void check_fails_in(const char *binary, const char *from_options,
                           const char *to_options, const char *to_more,
                           bool errors, const char *message)
{
    Side from = side_start(NULL, from_options, "-accel tcg");
    g_autofree char *socket = g_strdup_printf("%s.sock", from.disk);
    g_autofree char *uri = g_strdup_printf("unix:%s", socket);
    g_autofree char *incoming = g_strdup_printf("-accel tcg %s -incoming %s",
                                                to_more, uri);
    Side to;

    if (errors) {
        ras_poison(from.vm, page_of(from.vm, 0), RAS_PAGE);
    }
    to = side_start(binary, to_options, incoming);
    qtest_set_expected_status(to.vm->qts, 1);
    qtest_qmp_assert_success(from.vm->qts,
        "{ 'execute': 'migrate-set-capabilities', 'arguments': {"
        " 'capabilities': [ { 'capability': 'return-path',"
        " 'state': true } ] } }");
    qtest_qmp_assert_success(from.vm->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    ras_wait_until(from.vm, ras_migration_is(from.vm, "failed"));
    ras_wait_until(from.vm, ras_run_state_is(from.vm, "running"));
    if (errors) {
        ras_unpoison(from.vm, page_of(from.vm, 0), RAS_PAGE);
    }
    qtest_wait_qemu(to.vm->qts);
    assert_said(&to, message);
    side_end(&to);
    side_end(&from);
    g_unlink(socket);
}

static void check_fails(const char *from_options, const char *to_options,
                        const char *to_more, bool errors, const char *message)
{
    check_fails_in(NULL, from_options, to_options, to_more, errors, message);
}

static void test_without_ras(void)
{
    check_fails(",ras=on", "", "", true,
                "*Unknown *section or instance 'ras'*");
}

static void test_without_ghes(void)
{
    check_fails(",ras=on,ras-ghes=on", ",ras=on", "", false,
                "*ras-ghes.ram*");
}

static void test_fewer_vcpus(void)
{
    check_fails(ras_on(), ras_on(), "-smp 1", true, "*failed*");
}

static void test_without_fwnmi(void)
{
    check_fails("", ",cap-fwnmi=off", "", true,
                "*cap-fwnmi higher level*");
}

/* Stock cannot take errors.  It says so, and the VM goes on where it is. */
static void test_stock_refuses_errors(void)
{
    if (ras_env_or_skip(ras_stock_binary())) {
        check_fails_in(ras_stock_binary(), ras_on(), ras_on(), "", true,
                       "*Unknown *section or instance 'ras'*");
    }
}

/* --- anything ------------------------------------------------------------- */

static void change_anything(GRand *rand, uint8_t *data, size_t len)
{
    static const uint64_t values[] = {
        0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xff, 0x100, 2048, 2049, 4096, 0x7fffffff,
        0x80000000, 0xffffffff, INT64_MAX, 1ull << 63, UINT64_MAX,
        -(uint64_t)RAS_PAGE,
    };
    static const unsigned int sizes[] = { 1, 4, 8 };
    /* the greatest value has eight bytes */
    int32_t at = g_rand_int_range(rand, 0, len - 8);
    int32_t other = g_rand_int_range(rand, 0, len - 8);

    switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
        data[at] ^= 1 << g_rand_int_range(rand, 0, 8);
        break;
    case 1:
        data[at] = g_rand_int(rand);
        break;
    case 2:
        data[at] = g_rand_int_range(rand, 0, 8);
        break;
    case 3:
        put(data + at, sizes[g_rand_int_range(rand, 0, ARRAY_SIZE(sizes))],
            values[g_rand_int_range(rand, 0, ARRAY_SIZE(values))]);
        break;
    default:
        memmove(data + at, data + other,
                g_rand_int_range(rand, 1, len - MAX(at, other)));
        break;
    }
}

#define PARTS_MAX 3

/* Errors of all sorts, in all states; returns the number of parts */
static int make_all_errors(Side *side, Part part[PARTS_MAX])
{
    RasVm *vm = side->vm;
    int n = 0;

    make_errors(vm);
    if (ras_on_arm()) {
        for (int i = 0; i < 3; i++) {
            ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                       " 'severity': %s, 'address': %" PRIu64
                       ", 'length': %" PRIu64 " }",
                       i == 0 ? "fatal" : "recoverable",
                       page_of(vm, 20 * (i + 1)), 16 * RAS_PAGE);
            ras_inject(vm, "{ 'kind': 'arm-processor', 'type': 'cache',"
                       " 'vcpu': 0, 'polled': %i, 'severity': %s }", i == 2,
                       i == 1 ? "recoverable" : "corrected");
        }
        ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'uer' }");
        ras_wait_until(vm, !ras_state_is(vm, 1, "queued"));
    }
    ras_stop(vm);
    save_snapshot(side);
    if (ras_on_arm()) {
        part[n++] = find_part(side, "ras-ghes");
        part[n++] = find_part(side, "virt-ras-ghes/fatal");
    }
    part[n++] = find_part(side, SECTION);
    return n;
}

/*
 * Whatever is in the stream: it is loaded or refused, what query-ras says
 * holds together, and the VM runs.
 */
static void test_anything(void)
{
    const char *seconds = g_getenv("RAS_FUZZ_SECONDS");
    const char *seed = g_getenv("RAS_FUZZ_SEED");
    gint64 end = g_get_monotonic_time() +
                 (seconds ? g_ascii_strtoll(seconds, NULL, 10) : 0) *
                 G_USEC_PER_SEC;
    GRand *rand = g_rand_new_with_seed(seed ? g_ascii_strtoll(seed, NULL, 10)
                                            : 1);
    unsigned int streams = 0, loaded = 0;
    Side side = side_start(NULL, ras_on_arm() ? ",ras=on,ras-ghes=on" : "",
                           ras_on_arm() ? "-accel tcg -action panic=none "
                           "-global ras.reclaim-ms=600000" :
                           "-accel tcg -S -action panic=none");
    RasVm *vm = side.vm;
    Part parts[PARTS_MAX];
    int nr_parts;
    uint64_t errors;

    add_disk(&side);
    nr_parts = make_all_errors(&side, parts);
    errors = ras_count(vm, "in-flight");
    for (; streams < STREAMS || g_get_monotonic_time() < end; streams++) {
        Part *part = &parts[g_rand_int_range(rand, 0, nr_parts)];
        g_autofree uint8_t *bad = g_memdup2(part->data, part->len);
        g_autofree char *said = NULL;
        bool good;

        for (int n = 1 << g_rand_int_range(rand, 0, 4); n; n--) {
            change_anything(rand, bad, part->len);
        }
        write_part(&side, part, bad);
        good = load_snapshot(&side, &said);
        write_part(&side, part, part->data);
        qobject_unref(ras_query(vm));
        loaded += good;
        /* one more, which may be refused */
        qobject_unref(qtest_qmp(vm->qts, "{ 'execute': 'ras-inject',"
                                " 'arguments': { 'kind': 'memory', 'vcpu': 0,"
                                " 'mode': 'consume', 'severity': 'recoverable',"
                                " 'address': %" PRIu64 " } }", vm->ram));
        if (g_rand_int_range(rand, 0, 4)) {
            ras_cont(vm);
            qobject_unref(ras_query(vm));
            ras_stop(vm);
        }
        if (g_rand_int_range(rand, 0, 8) == 0) {
            ras_reset(vm);
            assert_empty(vm);
        }
        ras_drop_events(vm);
    }
    g_test_message("%u of %u streams were loaded", loaded, streams);
    g_assert_cmpuint(loaded, >, streams / 50);
    g_assert_cmpuint(loaded, <, streams);
    /* whatever was before, a good one is loaded */
    assert_loads(&side);
    ras_assert_count(vm, "in-flight", errors);
    for (int i = 0; i < nr_parts; i++) {
        part_end(&parts[i]);
    }
    side_end(&side);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/migration/needed", test_needed);
    qtest_add_func("/ras/migration/replaces", test_replaces);
    qtest_add_func("/ras/migration/bad-content", test_bad_content);
    qtest_add_func("/ras/migration/last-number", test_last_number);
    qtest_add_func("/ras/migration/panic-moves", test_panic_moves);
    qtest_add_func("/ras/migration/bare-vcpu-reset", test_bare_vcpu_reset);
    qtest_add_func("/ras/migration/loaded-twice", test_loaded_twice);
    qtest_add_func("/ras/migration/truncated", test_truncated);
    qtest_add_func("/ras/migration/fewer-vcpus", test_fewer_vcpus);
    qtest_add_func("/ras/migration/stock-refuses-errors",
                   test_stock_refuses_errors);
    if (ras_on_arm()) {
        qtest_add_func("/ras/migration/bad-record", test_bad_record);
        qtest_add_func("/ras/migration/bad-asynchronous",
                       test_bad_asynchronous);
        qtest_add_data_func("/ras/migration/pause-in-burst",
                            GINT_TO_POINTER(true), test_burst);
        qtest_add_data_func("/ras/migration/record-in-burst",
                            GINT_TO_POINTER(false), test_burst);
        qtest_add_func("/ras/migration/bad-syndrome", test_bad_syndrome);
        qtest_add_func("/ras/migration/abort-syndrome", test_abort_syndrome);
        qtest_add_func("/ras/migration/without-ras", test_without_ras);
        qtest_add_func("/ras/migration/without-ghes", test_without_ghes);
    } else {
        qtest_add_func("/ras/migration/without-fwnmi", test_without_fwnmi);
    }
    qtest_add_func("/ras/migration/anything", test_anything);
    return g_test_run();
}
