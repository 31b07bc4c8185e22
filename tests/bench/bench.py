#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What guest RAS costs and gives, as ratios against stock QEMU.

Run by "make bench" (scripts/bench), which sets the environment.  Both sides
of a ratio are measured in the same run, one after the other, as nothing else
can be compared between machines.  Prints a table; the exit status says
whether a target was missed.
"""

import base64
import contextlib
import dataclasses
import json
import os
import re
import shlex
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests' / 'functional'))

from ras import bare, environment, failing, fake_kvm, initramfs  # noqa: E402
from ras.guest import PAGE, Guest  # noqa: E402
from ras.targets import ARM64, PPC64  # noqa: E402

OURS = 'RAS_QEMU_AARCH64'
STOCK = 'RAS_STOCK_QEMU_AARCH64'
# QEMU 10.2, to which errors that no vCPU consumed can be injected.
STOCK_LATER = 'RAS_STOCK_LATER_QEMU_AARCH64'


class Skipped(Exception):
    """Cannot be measured here; the text says why."""


@dataclasses.dataclass
class Result:
    """Both sides of a ratio; or one that has a limit, and no other side."""

    ours: float
    stock: Optional[float] = None


@dataclasses.dataclass
class Measure:
    """A line of the table."""

    what: str
    measure: Any                        # function that returns a Result
    target: str
    at_least: Optional[float] = None    # limits of stock/ours or ours/stock
    at_most: Optional[float] = None
    per_ours: bool = False              # the ratio is stock/ours

    def ratio(self, result: Result) -> Optional[float]:
        """The ratio that the target is about."""
        if result.stock is None:
            return None
        if self.per_ours:
            return result.stock / result.ours
        return result.ours / result.stock

    def line(self) -> List[str]:
        """Measure; the columns of the line."""
        try:
            result = self.measure()
        except Skipped as why:
            return [self.what, '', '', '', self.target, f'skipped: {why}']
        ratio = self.ratio(result)
        value = result.ours if ratio is None else ratio
        good = (self.at_least is None or value >= self.at_least) and \
            (self.at_most is None or value <= self.at_most)
        return [self.what, f'{result.ours:.0f}',
                '' if result.stock is None else f'{result.stock:.0f}',
                '' if ratio is None else f'{ratio:.3g}',
                self.target, 'ok' if good else 'MISSED']


def tool(name: str) -> str:
    """Path of a program that is nice to have."""
    path = shutil.which(name)
    if not path:
        raise Skipped(f'{name} is not installed')
    return path


def run(args: List[str], **options: Any) -> str:
    """Run a program to its good end; standard output and error."""
    done = subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=900,
                          encoding='utf-8', errors='replace', **options)
    if done.returncode:
        raise RuntimeError(f'{shlex.join(args)}: exit status '
                           f'{done.returncode}\n{done.stdout}')
    return done.stdout


# Instructions


def counted_by(folder: Path, what: List[str]) -> List[str]:
    """What callgrind is; @what: options that say what it counts."""
    return [tool('valgrind'), '--tool=callgrind',
            f'--callgrind-out-file={folder}/callgrind', *what]


def collected(said: str) -> int:
    """What callgrind has counted."""
    found = re.search(r'Collected : (\d+)', said)
    assert found and int(found[1]) > 0, said
    return int(found[1])


def callgrind(what: List[str], folder: Path, args: List[str],
              **options: Any) -> int:
    """Those that callgrind counts in a program that ends by itself."""
    return collected(run([*counted_by(folder, what), *args], **options))


# Instructions to build a record

RECORDS = 1000


@dataclasses.dataclass
class Builder:
    """What builds a record, in one QEMU."""

    kind: str                   # known to record.c
    variable: str               # of the QEMU
    machine: List[str]
    counted: List[str]          # functions
    excluded: List[str]         # those they call that have no part in it
    symbols: List[str]          # what record.c wants to know besides


def record_library(folder: Path) -> Path:
    """record.c, to be preloaded."""
    library = folder / 'record.so'
    (folder / 'qapi').mkdir(exist_ok=True)
    run([str(TOP / 'scripts/qapi-enums'), str(TOP / 'qapi/ras.json'),
         str(folder / 'qapi/qapi-types-ras.h')])
    glib = shlex.split(run(['pkg-config', '--cflags', '--libs', 'glib-2.0']))
    run(['cc', '-shared', '-fPIC', '-fvisibility=hidden', '-O2', '-std=gnu11',
         '-D_GNU_SOURCE', f'-DRECORDS={RECORDS}', '-o', str(library),
         f'-I{folder}',
         *(f'-I{TOP / path}' for path in ('tests/standalone', 'include', '.')),
         str(TOP / 'tests/bench/record.c'), str(TOP / 'hw/acpi/apei/cper.c'),
         str(TOP / 'tests/unit/oracle/rtas-reader.c'), *glib])
    return library


def offsets(binary: Path, names: List[str]) -> List[str]:
    """Where these symbols are, in hexadecimal."""
    found = {line.split()[-1]: line.split()[0]
             for line in run(['nm', str(binary)]).splitlines()}
    for name in names:
        if name not in found:
            raise Skipped(f'no symbol {name} in {binary}')
    return [found[name] for name in names]


def count_instructions(library: Path, builder: Builder) -> float:
    """Instructions for one record."""
    binary = environment.path(builder.variable)
    symbols = offsets(binary, builder.counted + builder.symbols)
    # Forget what was counted while QEMU started: a function to toggle turns
    # the counter to what it was not, and back when it ends.
    return callgrind(
        ['--zero-before=build_records',
         *(f'--toggle-collect={name}'
           for name in builder.counted + builder.excluded)],
        library.parent,
        [str(binary), *builder.machine, '-L',
         str(environment.path('RAS_FIRMWARE')), '-accel', 'qtest', '-S',
         '-nodefaults', '-display', 'none', '-qmp', 'stdio'],
        input='{"execute": "qmp_capabilities"}\n{"execute": "quit"}\n',
        env={**os.environ, 'LD_BIND_NOW': '1', 'LD_PRELOAD': str(library),
             'RECORD_KIND': builder.kind,
             'RECORD_SYMBOLS': ','.join(symbols)}) / RECORDS


def compare_builders(ours: Builder, stock: Builder) -> Result:
    """Instructions for one record of a memory error of one page."""
    tool('valgrind')
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        library = record_library(Path(folder))
        return Result(count_instructions(library, ours),
                      count_instructions(library, stock))


def record_instructions() -> Result:
    """CPER, for machine "virt"."""
    machine = ['-machine', 'virt,ras=on', '-cpu', 'max', '-bios',
               str(environment.path('RAS_AAVMF'))]
    return compare_builders(
        Builder('cper-ours', OURS, machine, ['virt_ras_build_block'], [], []),
        # Not what stock does to find its record in the guest.
        Builder('cper-stock', STOCK, machine, ['acpi_ghes_memory_errors'],
                ['object_resolve_path_type', 'error_setg_internal',
                 'error_report_err'], []))


def rtas_log_instructions(ours: str = 'rtas-ours') -> Result:
    """RTAS error log, for machine "pseries"."""
    machine = ['-machine', 'pseries', '-only-migratable']
    return compare_builders(
        Builder(ours, 'RAS_QEMU_PPC64', machine, ['spapr_mce_build_log'], [],
                []),
        # Nor here, or to keep the VM from being migrated.
        Builder('rtas-stock', 'RAS_STOCK_QEMU_PPC64', machine,
                ['spapr_mce_req_event'],
                ['qdev_get_machine', 'object_dynamic_cast_assert',
                 'spapr_get_rtas_addr', 'error_setg_internal',
                 'migrate_add_blocker', 'warn_report'],
                ['cpus_queue', 'current_machine', 'rtas_ibm_nmi_register']))


def rtas_log_of_registers() -> Result:
    """The cause is found in registers, as KVM gives them.

    Those of stock say nothing: there is no way to set them here.
    """
    return rtas_log_instructions('rtas-ours-registers')


# Where nothing is to be added

CALLS = 1000


def per_call(count: Callable[[str, int], int], variable: str) -> float:
    """Instructions of one more, without what is before and after all."""
    return (count(variable, 2 * CALLS) - count(variable, CALLS)) / CALLS


def compare_calls(count: Callable[[str, int], int], target: str) -> Result:
    """The same, of both sides."""
    return Result(per_call(count, f'RAS_QEMU_{target}'),
                  per_call(count, f'RAS_STOCK_QEMU_{target}'))


def count_hypercalls(variable: str, calls: int) -> int:
    """In what handles them, for a program that makes so many."""
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        firmware = Path(folder) / 'firmware'
        bare.build(PPC64, TOP / 'tests' / 'bench' / 'hypercalls-ppc64.S',
                   firmware, '-mbig', '-Wl,-Ttext=0',
                   '-Wl,--oformat=binary', f'-DCALLS={calls}')
        return callgrind(
            ['--toggle-collect=emulate_spapr_hypercall'], Path(folder),
            [str(environment.path(variable)), '-machine', 'pseries', '-accel',
             'tcg,thread=single', '-m', '512M', '-nodefaults', '-display',
             'none', '-bios', str(firmware)])


def hypercall() -> Result:
    """Machine "pseries"; a hypercall that there is not."""
    return compare_calls(count_hypercalls, 'PPC64')


def count_exits(variable: str, exits: int) -> int:
    """From KVM_RUN to the next, for so many writes to a port, and one more.

    Without what is in the system calls that are made on the way.
    """
    # The last write resets the VM, and ends it.
    plan = ' '.join(['out:80:1:0'] * exits + ['out:cf9:1:6'])
    with tempfile.TemporaryDirectory(prefix='ras-') as name:
        folder = Path(name)
        fake_kvm.build(folder / 'fake-kvm.so')
        return callgrind(
            ['--toggle-collect=kvm_cpu_exec', '--toggle-collect=ioctl'],
            folder,
            [str(environment.path(variable)),
             *fake_kvm.arguments(folder, [*fake_kvm.Q35, '-no-reboot',
                                          '-display', 'none'])],
            env={**os.environ, 'LD_BIND_NOW': '1',
                 **fake_kvm.settings(folder / 'fake-kvm.so', plan,
                                     folder / 'log')})


def kvm_run() -> Result:
    """Machine "q35": the loop is that of all machines."""
    return compare_calls(count_exits, 'X86_64')


# From ibm,nmi-interlock to the next machine check


def hand_over() -> Result:
    """The median, with up to 16 vCPUs that wait; guest time is the host's."""
    said = run([str(environment.path('RAS_QEMU_QTESTS') / 'ras-ppc-crowd-test'),
                '-p', '/ppc64/ras/pseries/crowd/hand-over'],
               env={**os.environ, 'QTEST_QEMU_BINARY':
                    str(environment.path('RAS_QEMU_PPC64'))})
    found = re.search(r'hand-over: ([0-9]+) us', said)
    assert found, said
    return Result(float(found[1]))


# Errors that a guest acknowledges in a second

ERRORS = 1000
VICTIMS = 20
# So many first: Linux prints two records, and its code is yet to be translated.
WARM_UP = 400

# How long stock gets to read a record before it is asked again, seconds.
RETRY_DELAY = 0.0002


def connect(path: Path) -> socket.socket:
    """Connect to the socket at @path."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(str(path))
    return connection


class Monitor:
    """A QMP monitor with nothing between us and its connected socket."""

    def __init__(self, connection: socket.socket, process: int = 0) -> None:
        self.process = process
        self._socket = connection
        self._lines = connection.makefile('rb')
        self._lines.readline()
        self.execute('qmp_capabilities')

    def _line(self, what: str) -> bytes:
        line = self._lines.readline()
        if not line:
            raise RuntimeError(f'QEMU ended at {what}')
        return line

    def _send(self, command: str, arguments: Dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(
            {'execute': command, 'arguments': arguments}).encode() + b'\n')

    def execute(self, command: str, **arguments: Any) -> Dict[str, Any]:
        """Run a command; its answer, or that it was refused."""
        self._send(command, arguments)
        while True:
            line = self._line(command)
            # Do not parse the events, of which ours sends five an error.
            if not line.startswith(b'{"timestamp"'):
                return json.loads(line)

    def execute_until(self, command: str, event: str,
                      **arguments: Any) -> None:
        """Run a command; wait for its answer and the event, in any order.

        Of events of migration, which are one, @event is the status.
        """
        self._send(command, arguments)
        missing = {'return', event}
        while missing:
            said = json.loads(self._line(command))
            assert 'error' not in said, said
            status = said.get('data', {}).get('status')
            assert status != 'failed', said
            missing -= {'return'} & set(said) or {said.get('event'), status}

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


class HumanMonitor:
    """A monitor that gets no events: stock sends none, either."""

    PROMPT = b'(qemu) '

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._answer()

    def _answer(self) -> str:
        said = b''
        while not said.endswith(self.PROMPT):
            more = self._socket.recv(65536)
            if not more:
                raise RuntimeError('QEMU ended')
            said += more
        return said.decode(errors='replace')

    def execute(self, command: str) -> str:
        """Run a command; what it prints."""
        self._socket.sendall(command.encode() + b'\n')
        return self._answer()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def inject_ours(monitor: HumanMonitor, pages: List[int],
                severity: str) -> float:
    """Until all are acknowledged; seconds.

    They are in QEMU's queue when the clock starts, for it is the way to the
    guest that is measured: stock has no queue.
    """
    def acknowledged() -> int:
        found = re.search(r'acknowledged ([0-9]+)',
                          monitor.execute('info ras'))
        assert found
        return int(found[1])

    wanted = acknowledged() + len(pages)
    monitor.execute('stop')
    for page in pages:
        answer = monitor.execute(
            f'ras_inject memory {page:#x} report {severity}')
        assert 'Error' not in answer, answer
    begun = time.monotonic()
    monitor.execute('cont')
    while acknowledged() < wanted:
        assert time.monotonic() < begun + 120, 'not acknowledged in time'
        time.sleep(0.002)
    return time.monotonic() - begun


def memory_block(page: int, severity: str) -> str:
    """A Generic Error Status Block with one page; base64.

    ACPI 6.5 tables 18.11 and 18.12, UEFI 2.10 N.2.5.
    """
    section = struct.pack('<QQQq48x', 1 << 1 | 1 << 2, 0, page, -PAGE)
    # block_status, severity
    status, code = {'recoverable': (1, 0), 'corrected': (2, 2)}[severity]
    entry = bytes.fromhex('1411bca5646fde4eb8633e83ed7c83b1') + \
        struct.pack('<IHBBI16x20x8x', code, 0x300, 0, 1, len(section)) + \
        section
    header = struct.pack('<IIIII', status | 1 << 4, 0, 0, len(entry), code)
    return base64.b64encode(header + entry).decode()


def inject_stock(monitor: Monitor, pages: List[int],
                 severity: str) -> float:
    """Each one again until the one before is acknowledged; seconds."""
    begun = time.monotonic()
    for page in pages:
        block = memory_block(page, severity)
        while 'error' in monitor.execute('inject-ghes-v2-error', cper=block):
            assert time.monotonic() < begun + 120, 'not accepted in time'
            time.sleep(RETRY_DELAY)
    return time.monotonic() - begun


def retired(guest: Guest) -> int:
    """Pages that the guest has taken out of use."""
    line = guest.agent.run('grep HardwareCorrupted /proc/meminfo').output
    return int(line.split()[1]) * 1024 // PAGE


def error_rate(variable: str, ours: bool, extra: List[str],
               severity: str) -> float:
    """Errors of single pages of processes that a guest takes in a second.

    Pages that it had to give up, but dropped afterwards, do not count.
    """
    target = dataclasses.replace(ARM64, qemu_variable=variable)
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        path = Path(folder) / 'monitor'
        with Guest(target, f'bench-{variable}', extra_args=[
                *extra, '-monitor' if ours else '-qmp',
                f'unix:{path},server=on,wait=off']) as guest:
            guest.boot()
            guest.qemu.qmp('trace-event-set-state', name='ras_*',
                           enable=False, ignore_unavailable=True)
            pages = [page for _ in range(VICTIMS)
                     for page in guest.spawn(pages=ERRORS // VICTIMS).pa]
            assert len(set(pages)) == ERRORS
            # Or the speed of the console is what is measured.
            guest.agent.run('dmesg -n 1')
            before = retired(guest)
            if ours:
                # It would get events.
                guest.qemu._vm._qmp.close()
                guest.qemu._vm._qmp_connection = None
                human = HumanMonitor(connect(path))
                if severity == 'corrected':
                    inject_ours(human, pages[:WARM_UP], severity)
                took = inject_ours(human, pages, severity)
                human.close()
            else:
                monitor = Monitor(connect(path))
                if severity == 'corrected':
                    inject_stock(monitor, pages[:WARM_UP], severity)
                took = inject_stock(monitor, pages, severity)
                monitor.close()
            if severity == 'corrected':
                return ERRORS / took
            # Linux acknowledges first.
            deadline = time.monotonic() + 10
            while retired(guest) - before < ERRORS and \
                    time.monotonic() < deadline:
                time.sleep(0.5)
            left = ERRORS - (retired(guest) - before)
    if left:
        print(f'{variable}: of {ERRORS} pages that were acknowledged, the '
              f'guest has dropped {left}', file=sys.stderr)
    return (ERRORS - left) / took


def _rates(severity: str) -> Result:
    if not environment.has(STOCK_LATER):
        raise Skipped(os.environ.get('RAS_STOCK_LATER_WHY') or
                      f'{STOCK_LATER} is not set')
    return Result(
        error_rate(OURS, True, ['-machine', 'ras-ghes=on'], severity),
        error_rate(STOCK_LATER, False, [], severity))


def acknowledged_errors() -> Result:
    """Corrected ones: ours batches, stock has one page in a record."""
    return _rates('corrected')


def pages_given_up() -> Result:
    """Recoverable ones.

    Ours waits after each record, because Linux drops pages that come faster
    than it can give them up.
    """
    return _rates('recoverable')


# From an error to the guest's handler, under KVM


def latency(test: str) -> Result:
    """What a test of tests/kvm measures."""
    try:
        said = run(['/usr/bin/python3', '-m', 'pytest', '-q', '-p',
                    'no:cacheprovider', str(TOP / 'tests' / 'kvm' / test)])
    except (RuntimeError, subprocess.TimeoutExpired) as failed:
        # It may have measured, and not liked it.
        said = str(failed)
    found = re.search(r'ours ([0-9.]+) \w+, stock ([0-9.]+) \w+', said)
    if not found:
        raise Skipped('the test of it has measured nothing: make check-kvm')
    return Result(float(found[1]), float(found[2]))


def sigbus_latency() -> Result:
    """From SIGBUS to the guest's SIGBUS; arm64."""
    return latency('test_arm64_latency.py')


def nmi_latency() -> Result:
    """From a load to the machine check handler, by KVM_EXIT_NMI; ppc64."""
    return latency('test_ppc64_latency.py')


# Size

def window_size() -> Result:
    """Guest physical addresses that ras-ghes=on takes, bytes."""
    output = run([str(environment.path(OURS)), '-machine',
                  'virt,ras=on,ras-ghes=on', '-cpu', 'max', '-bios',
                  str(environment.path('RAS_AAVMF')), '-S', '-nodefaults',
                  '-display', 'none', '-monitor', 'stdio'],
                 input='info mtree\nquit\n')
    window = re.search(r'([0-9a-f]{16})-([0-9a-f]{16}) .*: ras-ghes\r?$',
                       output, re.MULTILINE)
    assert window, output
    return Result(int(window[2], 16) - int(window[1], 16) + 1)


# System calls of a boot

def boot_system_calls(binary: Path) -> float:
    """From the start of QEMU to the shell, and off; machine "virt"."""
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        calls, console = Path(folder) / 'calls', Path(folder) / 'console'
        run([tool('strace'), '-f', '-qq', '-c', '-U', 'calls,name',
             '-o', str(calls), str(binary),
             '-machine', 'virt', '-cpu', 'max,pauth-impdef=on', '-m', '1G',
             # The number must not depend on how busy this machine is.
             '-icount', 'shift=2,sleep=off',
             '-L', str(environment.path('RAS_FIRMWARE')),
             '-kernel', str(environment.path(ARM64.kernel_variable)),
             '-initrd', str(initramfs.get(ARM64)), '-append',
             'console=ttyAMA0 panic=-1 rdinit=/bin/busybox -- '
             'sh -c "echo this is a shell; /bin/busybox poweroff -f"',
             '-display', 'none', '-monitor', 'none', '-nic', 'none',
             '-serial', f'file:{console}', '-no-reboot'])
        text = console.read_text(encoding='utf-8', errors='replace')
        assert 'this is a shell' in text, text[-2000:]
        total = re.search(r'^\s*(\d+) total$',
                          calls.read_text(encoding='utf-8'), re.MULTILINE)
        assert total
        return int(total[1])


def system_calls() -> Result:
    """Without guest RAS, which is the default.

    Some calls depend on which thread was first: the lower of two counts.
    """
    counts = [(boot_system_calls(environment.path(OURS)),
               boot_system_calls(environment.path(STOCK)))
              for _ in range(2)]
    return Result(*map(min, zip(*counts)))


# Migration of a VM without errors


def stream_length(binary: Path) -> float:
    """Bytes of the stream of a VM that has not run yet."""
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        stream = Path(folder) / 'stream'
        run([str(binary), '-machine', 'virt,ras=on', '-cpu', 'max', '-bios',
             str(environment.path('RAS_AAVMF')), '-S', '-nodefaults', '-seed',
             '1', '-display', 'none', '-monitor', 'stdio'],
            input=f'migrate "file:{stream}"\nquit\n')
        return stream.stat().st_size


def migration_stream() -> Result:
    """RAM comes in slices of time, so a few bytes more or less."""
    return Result(stream_length(environment.path(OURS)),
                  stream_length(environment.path(STOCK)))


def downtime(guest: Guest) -> int:
    """Of a migration that nobody receives, ms; the guest goes on after it."""
    guest.qemu.qmp('migrate-set-parameters', max_bandwidth=0)
    guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    while True:
        info = guest.qemu.qmp('query-migrate')
        if info['status'] == 'completed':
            break
        assert info['status'] != 'failed', info
        time.sleep(0.05)
    guest.qemu.qmp('cont')
    guest.check_alive()
    return info['downtime']


def migration_downtime() -> Result:
    """The better half of ten, taken in turns."""
    times: Dict[str, List[int]] = {OURS: [], STOCK: []}
    with Guest(ARM64, 'bench-ours') as ours, \
            Guest(ARM64, 'bench-stock', stock=True) as stock:
        ours.boot()
        stock.boot()
        for _ in range(10):
            times[OURS].append(downtime(ours))
            times[STOCK].append(downtime(stock))
    return Result(*(sum(sorted(times[side])[:5]) for side in (OURS, STOCK)))


# VMs without a guest: state and reset


@contextlib.contextmanager
def bare_vm(variable: str, *args: str,
            wrapper: Sequence[str] = ()) -> Iterator[Monitor]:
    """A machine "virt" with guest RAS, whose messages are dropped."""
    here, there = socket.socketpair()
    here.settimeout(60)
    with here, subprocess.Popen(
            [*wrapper, str(environment.path(variable)), '-machine',
             'virt,ras=on,gic-version=3', '-cpu', 'max', '-m', '256M', '-bios',
             str(environment.path('RAS_AAVMF')), '-nodefaults', '-display',
             'none', '-chardev', f'socket,id=qmp,fd={there.fileno()}',
             '-mon', 'qmp,mode=control', *args],
            pass_fds=[there.fileno()], stderr=subprocess.DEVNULL) as process:
        there.close()
        try:
            monitor = Monitor(here, process.pid)
            yield monitor
            monitor.execute('quit')
            monitor.close()
            process.wait(60)
        finally:
            process.kill()


# Memory of the guest that QEMU sends, and that devices write

# A VM to be sent; and how often, by each side.
SENT = 4 << 30
SENDINGS = 9


@contextlib.contextmanager
def filled_memory(size: int) -> Iterator[List[str]]:
    """Options for RAM whose pages are all different."""
    page = bytearray(os.urandom(PAGE))
    with tempfile.NamedTemporaryFile(prefix='ras-', dir='/dev/shm') as memory:
        for number in range(size // PAGE):
            page[:8] = number.to_bytes(8, 'little')
            memory.write(page)
        memory.flush()
        yield ['-S', '-m', f'{size >> 20}M', '-machine', 'memory-backend=ram',
               '-object', 'memory-backend-file,id=ram,share=on,'
               f'size={size},mem-path={memory.name}']


def send(monitor: Monitor, uri: str = 'exec:cat >/dev/null') -> None:
    """Migrate the VM, stopped; to nobody, or to another one."""
    monitor.execute('migrate-set-parameters', **{'max-bandwidth': 0})
    answer = monitor.execute('migrate', uri=uri)
    assert 'error' not in answer, answer
    while True:
        status = monitor.execute('query-migrate')['return'].get('status')
        if status == 'completed':
            break
        assert status != 'failed'
        time.sleep(0.02)
    # Or it could not be migrated again.
    monitor.execute('cont')
    monitor.execute('stop')


def count_sent(variable: str, pages: int) -> int:
    """Instructions of the thread that sends so many."""
    with tempfile.TemporaryDirectory(prefix='ras-') as name, \
            filled_memory(pages * PAGE) as memory:
        log = Path(name) / 'log'
        with bare_vm(variable, *memory, wrapper=counted_by(Path(name), [
                '--toggle-collect=ram_find_and_save_block', f'--log-file={log}'])
                     ) as monitor:
            send(monitor)
        return collected(log.read_text(encoding='utf-8'))


def page_instructions() -> Result:
    """Of a migration, for each page."""
    return Result(*(
        (count_sent(variable, 8192) - count_sent(variable, 4096)) / 4096
        for variable in (OURS, STOCK)))


def used_time(process: int) -> float:
    """Processor time of all its threads so far, ms."""
    # The number of its clock is that of clock_getcpuclockid(3).
    return time.clock_gettime(~process << 3 | 2) * 1000


def in_pairs(measure: Callable[[Monitor], float], ours: Monitor,
             other: Monitor, pairs: int) -> List[Tuple[float, float]]:
    """Both sides in turns, also as to which is first.

    Whatever else the machine does meets both sides of a pair alike.
    """
    found = []
    for number in range(pairs):
        if number % 2:
            last = measure(other)
            found.append((measure(ours), last))
        else:
            found.append((measure(ours), measure(other)))
    return found


def compare_sending(ours: Monitor, other: Monitor) -> Result:
    """Processor time for all of RAM, which limits how fast it goes.

    The lower quartiles: who shares caches and memory with them adds to it.
    """
    def measure(side: Monitor) -> float:
        before = used_time(side.process)
        send(side)
        return used_time(side.process) - before

    pairs = in_pairs(measure, ours, other, SENDINGS)
    return Result(*(statistics.quantiles(side)[0] for side in zip(*pairs)))


def sending() -> Result:
    """4 GiB of a VM without errors."""
    with filled_memory(SENT) as memory, bare_vm(OURS, *memory) as ours, \
            bare_vm(STOCK, *memory) as stock:
        return compare_sending(ours, stock)


@contextlib.contextmanager
def failing_vm(size: int, *args: str
               ) -> Iterator[Tuple[Monitor, failing.Failing]]:
    """A VM of ours, and what lets memory of it fail; @size: bytes of RAM."""
    with tempfile.TemporaryDirectory(prefix='ras-') as name:
        library, path = Path(name) / 'fail.so', Path(name) / 'fail'
        failing.build(library)
        with bare_vm(OURS, *args, '-S', wrapper=[
                'env', f'LD_PRELOAD={library}',
                f'FAIL_SOCKET={path}']) as monitor:
            yield monitor, failing.Failing(path, size)


def sending_with_holes() -> Result:
    """The same if a page of it has failed; the other side has none."""
    with filled_memory(SENT) as memory, \
            failing_vm(SENT, *memory) as (ours, fail), \
            bare_vm(OURS, *memory) as good:
        fail.fail(SENT // 2)
        return compare_sending(ours, good)


HOLES = 1024
HOLE_ROUNDS = 9
MEMORY = 256 << 20


def downtime_with_holes(*args: str) -> Result:
    """What they add to the downtime of a move to another VM; us of processor.

    The other side has one, so that both send what they have read first.
    """
    with failing_vm(MEMORY, *args) as (ours, fail), \
            failing_vm(MEMORY, *args) as (other, fail_other):
        # No two are neighbours.
        for number in range(HOLES):
            fail.fail((64 << 20) + 2 * PAGE * number)
        fail_other.fail(64 << 20)
        pairs = in_pairs(lambda side: move_downtime(side, *args), ours, other,
                         HOLE_ROUNDS)
    return Result(statistics.median(one - two for one, two in pairs) * 1000)


# Where the kernel has pages fail, as with KVM.
MARKS = ['-accel', 'qtest']


def downtime_with_marks() -> Result:
    """Memory of this process."""
    return downtime_with_holes(*MARKS)


def downtime_with_shared_marks() -> Result:
    """Memory in a file."""
    return downtime_with_holes(
        *MARKS, '-machine', 'memory-backend=ram', '-object',
        f'memory-backend-memfd,id=ram,share=on,size={MEMORY}')


def idle_time(*sides: Monitor) -> float:
    """Processor time of both, now that they wait for something; ms."""
    last = None
    while True:
        times = [used_time(side.process) for side in sides]
        if times == last:
            return sum(times)
        last = times
        time.sleep(0.03)


def move_downtime(monitor: Monitor, *args: str) -> float:
    """Of a move to a new VM; processor time of both, ms.

    From where all is sent that can be while the guest runs, which waits there.
    """
    capabilities = [{'capability': name, 'state': True} for name in
                    ('return-path', 'events', 'pause-before-switchover')]
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        uri = f'unix:{folder}/migration'
        with bare_vm(OURS, *args, '-S', '-incoming', 'defer') as there:
            for side in there, monitor:
                side.execute('migrate-set-capabilities',
                             capabilities=capabilities)
            there.execute('migrate-incoming', uri=uri)
            monitor.execute('migrate-set-parameters', **{'max-bandwidth': 0})
            monitor.execute_until('migrate', 'pre-switchover', uri=uri)
            before = idle_time(monitor, there)
            monitor.execute_until('migrate-continue', 'completed',
                                  state='pre-switchover')
            took = idle_time(monitor, there) - before
            monitor.execute('cont')
            monitor.execute('stop')
    return took


# What copies: of an instruction that repeats itself, callgrind counts each time.
COPIES = ['__mem*', 'ras_copy_*']


def count_writes(variable: str, writes: int) -> int:
    """Instructions of so many writes of a page, as devices make them.

    Without those that copy.
    """
    data = base64.b64encode(os.urandom(PAGE)).decode()
    with tempfile.TemporaryDirectory(prefix='ras-') as name:
        log, path = Path(name) / 'log', Path(name) / 'qtest'
        with bare_vm(variable, '-accel', 'qtest', '-qtest',
                     f'unix:{path},server=on,wait=off', '-qtest-log', 'none',
                     wrapper=counted_by(Path(name), [
                         '--toggle-collect=address_space_write',
                         *(f'--toggle-collect={name}' for name in COPIES),
                         f'--log-file={log}'])), \
                connect(path) as qtest, qtest.makefile('rb') as answers:
            for _ in range(writes):
                qtest.sendall(
                    f'b64write 0x40000000 {PAGE:#x} {data}\n'.encode())
                answer = answers.readline()
                assert answer == b'OK\n', answer
        return collected(log.read_text(encoding='utf-8'))


def copy_time() -> Result:
    """Of the copy in it: by guest RAS, and by memcpy(); ps."""
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        program = f'{folder}/copy'
        glib = shlex.split(run(['pkg-config', '--cflags', '--libs',
                                'glib-2.0']))
        run(['cc', '-O2', '-std=gnu11', '-D_GNU_SOURCE', '-o', program,
             *(f'-I{TOP / path}' for path in ('tests/standalone', 'include')),
             str(TOP / 'tests/bench/copy.c'), str(TOP / 'hw/ras/copy.c'),
             *glib])
        return Result(*map(float, run([program]).split()))


def device_write() -> Result:
    """Of 4 KiB; machine "virt"."""
    return compare_calls(count_writes, 'AARCH64')


STATE_VCPUS = 64
STATE_ERRORS = 1024
STATE_RANGES = 256
STATE_ROUNDS = 3


def fill(monitor: Monitor, ranges: int) -> None:
    """As many errors as can be injected; no two pages are neighbours."""
    modes = ['report'] * STATE_ERRORS + ['poison'] * ranges
    for number, mode in enumerate(modes):
        answer = monitor.execute('ras-inject', kind='memory',
                                 address=0x40000000 + 2 * PAGE * number,
                                 severity='recoverable', mode=mode)
        assert 'error' not in answer, answer


def wait_migration(monitor: Monitor, ranges: int) -> None:
    """Until all is saved or loaded, and there."""
    while True:
        status = monitor.execute('query-migrate')['return'].get('status')
        if status == 'completed':
            break
        assert status != 'failed'
        time.sleep(0.05)
    info = monitor.execute('query-ras')['return']
    assert len(info['queue']) == STATE_ERRORS
    assert len(info['poisoned']) == ranges


def state_time(trace: Path, what: str) -> int:
    """Sections with state of guest RAS, and all else in them; us.

    As QEMU measures them, to be traced.
    """
    times = re.findall(rf'vmstate_downtime_{what} type=non-iterable '
                       r'idstr=(ras|ras-ghes) .*downtime=([0-9]+)',
                       trace.read_text(encoding='utf-8'))
    assert len(times) == 2, times
    return sum(int(time) for _, time in times)


def save_and_load(ranges: int = 0) -> Result:
    """With a full queue, and ras-ghes=on; the best of some rounds."""
    common = ['-machine', 'ras-ghes=on', '-smp', str(STATE_VCPUS), '-S',
              '-trace', 'vmstate_downtime_*', '-D']
    times = []
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        uri = f'file:{folder}/stream'
        saved, loaded = Path(folder) / 'saved', Path(folder) / 'loaded'
        for _ in range(STATE_ROUNDS):
            with bare_vm(OURS, *common, str(saved)) as monitor:
                fill(monitor, ranges)
                monitor.execute('migrate', uri=uri)
                wait_migration(monitor, ranges)
            with bare_vm(OURS, *common, str(loaded),
                         '-incoming', uri) as monitor:
                wait_migration(monitor, ranges)
            times.append(state_time(saved, 'save') +
                         state_time(loaded, 'load'))
    return Result(min(times))


def save_and_load_poison() -> Result:
    """With as much poison as there can be, besides."""
    return save_and_load(STATE_RANGES)


# Of each side.
RESETS = 400


def reset_time(monitor: Monitor) -> float:
    """From the command to its event, us."""
    begun = time.monotonic()
    monitor.execute_until('system_reset', 'RESET')
    return (time.monotonic() - begun) * 1e6


def reset() -> Result:
    """Of a guest that waits for interrupts: the lower quartiles.

    In turns, also as to which is first, so that both meet the same noise.
    """
    # wfi; b .-4
    program = 'addr=0x48000000,data=0x17ffffffd503207f,data-len=8'
    idle = ['-device', f'loader,{program}',
            '-device', 'loader,addr=0x48000000,cpu-num=0']
    with bare_vm(OURS, *idle) as ours, bare_vm(STOCK, *idle) as stock:
        sides = [ours, stock]
        times: Dict[Monitor, List[float]] = {ours: [], stock: []}
        for _ in range(RESETS):
            for side in sides:
                times[side].append(reset_time(side))
            sides.reverse()
    return Result(*(statistics.quantiles(times[side])[0]
                    for side in (ours, stock)))


MEASURES = [
    Measure('instructions to build a record', record_instructions,
            '>= 10 times fewer', at_least=10, per_ours=True),
    Measure('instructions to build an RTAS log', rtas_log_instructions,
            '>= 5 times fewer', at_least=5, per_ours=True),
    Measure('the same, cause in registers', rtas_log_of_registers,
            '>= 3 times fewer', at_least=3, per_ours=True),
    Measure('interlock to next handler, us', hand_over, '<= 1000',
            at_most=1000),
    Measure('errors acknowledged in a second', acknowledged_errors,
            '>= 10 times more', at_least=10),
    Measure('pages given up in a second', pages_given_up, '(none: paced)'),
    Measure('instructions of a hypercall', hypercall,
            'those of stock', at_most=1.001),
    Measure('instructions to leave KVM_RUN', kvm_run,
            'those of stock', at_most=1.02),
    Measure('instructions of a 4 KiB write', device_write,
            'those of stock', at_most=1.02),
    Measure('the copy in it, ps', copy_time,
            'that of memcpy()', at_most=1.1),
    Measure('instructions to send a page', page_instructions,
            'those of stock', at_most=1.01),
    Measure('sending 4 GiB, ms of processor', sending,
            'not above stock', at_most=1.1),
    Measure('the same, a page has failed, ms', sending_with_holes,
            'not above none failed', at_most=1.1),
    Measure('downtime for 1024 holes, us', downtime_with_holes,
            '<= 5000', at_most=5000),
    Measure('the same, marked by the kernel, us', downtime_with_marks,
            '<= 5000', at_most=5000),
    Measure('and in shared memory, us', downtime_with_shared_marks,
            '<= 5000', at_most=5000),
    Measure('touch to SIGBUS under KVM, ms', sigbus_latency,
            'not above stock', at_most=1.1),
    Measure('load to KVM_EXIT_NMI handler, us', nmi_latency,
            'not above stock', at_most=1.1),
    # Registers and memory have 64 KiB each: the largest page of a host.
    Measure('bytes of guest physical addresses', window_size,
            '<= 131072', at_most=131072),
    Measure('system calls of a boot, defaults', system_calls,
            'equal, within 5 %', at_least=0, at_most=1.05),
    Measure('bytes of a migration stream', migration_stream,
            'equal, but slices', at_least=0.999, at_most=1.001),
    Measure('downtime, five moves, ms', migration_downtime,
            'not above stock', at_most=1.25),
    Measure('saving and loading 1024 errors, us', save_and_load,
            '<= 5000, 64 vCPUs', at_most=5000),
    Measure('and 256 poisoned ranges, us', save_and_load_poison, '(none)'),
    Measure('reset of an idle VM, us', reset,
            'not above stock', at_most=1.1),
]
HEADINGS = ['what', 'ours', 'stock', 'ratio', 'target', 'result']
WIDTHS = [34, 9, 9, 7, 20, 0]


def main() -> None:
    """Print the table, a line when it is known."""
    def show(columns: List[str]) -> None:
        cells = [text.rjust(width) if 0 < i < 4 else text.ljust(width)
                 for i, (text, width) in enumerate(zip(columns, WIDTHS))]
        print('  '.join(cells).rstrip(), flush=True)

    wanted = sys.argv[1:]
    results = []
    show(HEADINGS)
    for measure in MEASURES:
        if wanted and measure.measure.__name__ not in wanted:
            continue
        columns = measure.line()
        results.append(columns[-1])
        show(columns)
    sys.exit('MISSED' in results)


if __name__ == '__main__':
    main()
