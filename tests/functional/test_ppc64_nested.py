# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: what ends a nested guest, and what its hypervisor gets to know.

A vCPU that runs a nested guest is the hypervisor's when the machine is reset,
when the VM is saved, and on a system reset.
"""

import contextlib
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple

import pytest

from ras import bare, environment, migration
from ras.gdb import Gdb
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/nested-ppc64.S
REPORT = 0x30000
# System reset, machine check, hypervisor decrementer interrupt.
RESET = 0x100
MCHECK = 0x200
HDEC = 0x980

# Of a machine check, and how long it waits for a handler at least, in seconds.
ADDRESS = 0x1000000
HANDLER = 0.9

H_IN_USE = -77 & (1 << 64) - 1

TIMES = 1000
# What the nested guest counts to in a second, about.
SECOND = 200000000
# Ticks: 200 ms, and longer than any test.
SHORT = 102400000
MILLISECOND = 512000
FOR_EVER = 1 << 45

APIS = {'hv': ('cap-nested-hv=on', 'HV'),
        'papr': ('cap-nested-papr=on', 'PAPR')}


class Report(NamedTuple):
    """What the hypervisor, and its guest, have reported so far."""

    left: int
    interrupt: int
    counted: int
    shortest: int
    called: int
    booted: int
    interrupts: int
    loop: int
    deleted: int
    deleted_all: int
    srr0: int
    srr1: int
    stored: int
    set: int
    missed: int


needs_stock = pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                                 reason='there is no build of the base')


def read(vm: Any) -> Report:
    """The report as it is now."""
    return Report(*bare.doublewords(vm, REPORT, len(Report._fields)))


def wait(vm: Any, until: Callable[[Report], bool]) -> Report:
    """Until the report is as wanted."""
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        report = read(vm)
        if until(report):
            return report
        assert time.monotonic() < end, report
        time.sleep(0.05)


def wait_counts(vm: Any) -> Report:
    """Until the nested guest has counted on."""
    before = read(vm).counted
    return wait(vm, lambda report: report.counted > before + 1000)


def nested(folder: Path, *args: str, api: str = 'hv', ticks: int = FOR_EVER,
           macro: str = 'NONE', also: str = 'NONE',
           variable: str = PPC64.qemu_variable) -> Any:
    """A VM with a hypervisor that runs a nested guest."""
    option, which = APIS[api]
    return bare.pseries('nested-ppc64', folder, '-machine', option, '-accel',
                        'tcg', *args, macros=[f'TICKS={ticks}', which, macro, also],
                        variable=variable)


@pytest.mark.parametrize('api', APIS)
def test_left(tmp_path: Path, api: str) -> None:
    """It is left, whenever it is entered, if its time is over."""
    with nested(tmp_path, api=api, ticks=0) as vm:
        assert wait(vm, lambda report: report.left >= TIMES).interrupt == HDEC


def test_time_left(tmp_path: Path) -> None:
    """It is not left before its time is over."""
    with nested(tmp_path, ticks=SHORT) as vm:
        report = wait(vm, lambda report: report.left >= 5)
        assert report.interrupt == HDEC
        assert report.shortest >= SHORT


@pytest.mark.parametrize('api', APIS)
def test_reset(tmp_path: Path, api: str) -> None:
    """The machine is reset while it runs, and runs it again."""
    with nested(tmp_path, api=api) as vm:
        for number in range(5):
            wait(vm, lambda report, number=number: report.booted > number)
            wait_counts(vm)
            vm.cmd('system_reset')
        report = wait(vm, lambda report: report.booted == 6)
        assert report.left == 0


def test_deleted(tmp_path: Path) -> None:
    """It cannot be while it runs."""
    with nested(tmp_path, '-smp', '2', api='papr', macro='DELETES') as vm:
        wait(vm, lambda report: report.deleted_all != 0)
        vm.cmd('system_reset')
        wait(vm, lambda report: report.booted == 2)
        report = wait_counts(vm)
        assert (report.deleted, report.deleted_all) == (H_IN_USE, H_IN_USE)


@pytest.mark.parametrize('api', APIS)
def test_unplugged(tmp_path: Path, api: str) -> None:
    """Its vCPU is, while it runs."""
    with nested(tmp_path, '-smp', '1,maxcpus=2', '-device',
                'power9_v2.2-spapr-cpu-core,core-id=1,id=core', api=api,
                macro='UNPLUGS') as vm:
        wait_counts(vm)
        vm.cmd('device_del', id='core')
        assert vm.event_wait('DEVICE_DELETED',
                             60 * environment.time_factor(),
                             {'data': {'device': 'core'}})
        before = read(vm)
        assert len(vm.cmd('query-cpus-fast')) == 1
        vm.cmd('system_reset')
        report = wait(vm, lambda report: report.booted == 2)
        assert report.counted == before.counted


def test_system_reset(tmp_path: Path) -> None:
    """A system reset is its hypervisor's; then it is entered again."""
    with nested(tmp_path) as vm:
        wait_counts(vm)
        for number in range(1, 4):
            vm.cmd('inject-nmi')
            report = wait(vm, lambda report, number=number:
                          report.left + report.interrupts >= number)
            assert (report.left, report.interrupt) == (number, RESET)
            wait_counts(vm)
        assert read(vm).interrupts == 0


def test_system_reset_of_a_stopped_vcpu(tmp_path: Path) -> None:
    """It is taken at once, so that it is not lost if the VM is saved."""
    with nested(tmp_path) as vm:
        wait_counts(vm)
        vm.cmd('stop')
        vm.cmd('inject-nmi')
        registers = vm.cmd('human-monitor-command',
                           **{'command-line': 'info registers'})
        assert f'NIP {RESET:016x}' in registers
        vm.cmd('cont')
        assert wait(vm, lambda report: report.interrupts == 1).left == 1
        wait_counts(vm)


@pytest.mark.parametrize('commands, interrupt', [
    (['inject-nmi'], RESET), (['stop', 'cont'], HDEC)], ids=['reset', 'stop'])
@pytest.mark.parametrize('api', APIS)
def test_waits(tmp_path: Path, api: str, commands: List[str],
               interrupt: int) -> None:
    """It waits for an interrupt: its hypervisor does not, when it is left.

    Then it goes on, and finds SRR0 and SRR1 as it left them.
    """
    with nested(tmp_path, api=api, macro='WAITS') as vm:
        before = wait(vm, lambda report: report.counted > 0)
        # It may be left before it waits, too.
        while read(vm).counted < 5:
            for command in commands:
                vm.cmd(command)
            before = wait(vm, lambda report, before=before:
                          report.left > before.left)
        assert before.interrupt == interrupt
        wait(vm, lambda report: report.srr0 == 4 * report.srr1 and
             report.srr1 == report.counted - 1)


@pytest.mark.parametrize('first', ['LOADS', 'PROBES'])
def test_changes(tmp_path: Path, first: str) -> None:
    """It cannot store to a page without C, which it has loaded from.

    Nor does dcbst do for R what a load does.
    """
    with nested(tmp_path, ticks=MILLISECOND, macro='CHANGES',
                also=first) as vm:
        report = wait(vm, lambda report:
                      report.set >= TIMES or report.missed > 0)
        assert report.missed == 0
        assert report.stored > 0


def test_changes_while_c_is_cleared(tmp_path: Path) -> None:
    """Another vCPU has cleared C, and has flushed TLBs."""
    with nested(tmp_path, '-smp', '2', macro='CHANGES',
                also='ELSEWHERE') as vm:
        report = wait(vm, lambda report:
                      report.set >= TIMES or report.missed > 0)
        assert report.missed == 0
        assert report.stored > 0


def delay(vm: Any) -> float:
    """Seconds that a machine check takes that is injected."""
    vm.cmd('ras-inject', kind='memory', address=ADDRESS, mode='consume',
           severity='recoverable', vcpu=0)
    times = []
    for state in ('accepted', 'notified'):
        event = vm.event_wait(
            'RAS_ERROR', 60 * environment.time_factor(),
            {'data': {'error': {'state': state}}})
        assert event
        stamp = event['timestamp']
        times.append(stamp['seconds'] + stamp['microseconds'] / 1000000)
    assert wait(vm, lambda report: report.left == 1).interrupt == MCHECK
    return times[1] - times[0]


def test_machine_check_does_not_wait(tmp_path: Path) -> None:
    """The nested guest has no handler that it had to leave first.

    Translation is off, as in the handler of a guest that has one: that would
    be waited for, for a second.  On a busy machine all takes its time.
    """
    for _ in range(3):
        with nested(tmp_path, macro='REGISTERS') as vm:
            wait_counts(vm)
            assert vm.cmd('query-ras')['sources'][0]['ready']
            seconds = delay(vm)
            assert read(vm).interrupts == 0
            wait_counts(vm)
        if seconds < HANDLER:
            return
    assert seconds < HANDLER


def save(vm: Any, stream: str) -> None:
    """Into a file; the VM is stopped afterwards."""
    vm.cmd('migrate', uri=stream)
    bare.wait_status(vm, 'query-migrate', {'completed'})


@contextlib.contextmanager
def load(folder: Path, stream: str, **options: Any) -> Iterator[Any]:
    """What was saved in another VM, which then runs."""
    with nested(folder, '-incoming', stream, **options) as vm:
        bare.wait_status(vm, 'query-status',
                         {'running', 'paused', 'postmigrate'})
        vm.cmd('cont')
        yield vm


class Debugged(bare.Monitor):
    """As ras.gdb wants it."""

    def __init__(self, vm: Any, socket: Path) -> None:
        super().__init__(vm)
        self.qemu = self
        self.gdb_socket = socket

    def pc(self) -> int:
        """Where the stopped vCPU is."""
        found = re.search(r'NIP (\w+)', self.hmp('info registers'))
        assert found
        return int(found.group(1), 16)


@pytest.mark.parametrize('stopped', [False, True], ids=['running', 'stopped'])
def test_saved(tmp_path: Path, stopped: bool) -> None:
    """Its hypercalls are its hypervisor's, there and here.

    It asks for the machine to be switched off all the time.
    """
    stream = f'file:{tmp_path}/stream'
    with nested(tmp_path, macro='HYPERCALLS') as vm:
        wait(vm, lambda report: report.called > 10)
        if stopped:
            vm.cmd('stop')
        save(vm, stream)
        before = read(vm)
        assert before.interrupt in (HDEC, 0xc00)
        with load(tmp_path, stream, macro='HYPERCALLS') as other:
            for side in (other, vm):
                if side is vm:
                    vm.cmd('cont')
                report = wait(side, lambda report:
                              report.called > before.called + 10)
                assert report.counted > before.counted
                assert report.booted == 1
                assert side.cmd('query-status')['status'] == 'running'


def test_not_saved_where_a_debugger_is(tmp_path: Path) -> None:
    """Who debugs it finds it, and not its hypervisor."""
    stream = f'file:{tmp_path}/stream'
    with nested(tmp_path) as vm:
        wait_counts(vm)
        qemu: Any = Debugged(vm, tmp_path / 'gdb')
        loop = read(vm).loop
        with Gdb(qemu) as gdb:
            gdb.set_breakpoint(loop)
            gdb.continue_all()
            gdb.wait_stop()
            assert qemu.pc() == loop
            answer = vm.qmp('migrate', uri=stream)
            assert 'stopped in a nested guest' in answer['error']['desc']
            assert qemu.pc() == loop
            gdb.clear_breakpoint(loop)
            gdb.continue_all()
            wait_counts(vm)
            save(vm, stream)
        with load(tmp_path, stream) as other:
            wait_counts(other)


def test_recording_is_not_changed_by_a_stop(tmp_path: Path) -> None:
    """It is not left then, and the VM cannot be saved."""
    with nested(tmp_path, '-icount',
                f'shift=1,rr=record,rrfile={tmp_path}/recording') as vm:
        wait_counts(vm)
        vm.cmd('stop')
        answer = vm.qmp('migrate', uri=f'file:{tmp_path}/stream')
        assert 'stopped in a nested guest' in answer['error']['desc']
        vm.cmd('cont')
        wait_counts(vm)
        assert read(vm).left == 0


def test_saved_after_a_reset_at_a_breakpoint(tmp_path: Path) -> None:
    """There is no nested guest any more, although the VM is still stopped."""
    with nested(tmp_path) as vm:
        wait_counts(vm)
        qemu: Any = Debugged(vm, tmp_path / 'gdb')
        with Gdb(qemu) as gdb:
            gdb.set_breakpoint(read(vm).loop)
            gdb.continue_all()
            gdb.wait_stop()
            vm.cmd('system_reset')
            assert vm.event_wait('RESET', 60 * environment.time_factor())
            save(vm, f'file:{tmp_path}/stream')


def test_saved_in_a_snapshot(tmp_path: Path) -> None:
    """savevm, and loadvm while it runs."""
    disk = tmp_path / 'disk'
    with nested(tmp_path, macro='HYPERCALLS') as vm:
        wait(vm, lambda report: report.called > 10)
        qemu: Any = bare.Monitor(vm)
        migration.save_snapshot(qemu, disk)
        before = read(vm)
        wait(vm, lambda report: report.called > before.called + 10)
        vm.cmd('stop')
        vm.cmd('system_reset')
        migration.load_snapshot(qemu, disk)
        vm.cmd('cont')
        wait(vm, lambda report: report.called > before.called + 10)
        wait_counts(vm)


def test_guest_of_papr_is_not_saved(tmp_path: Path) -> None:
    """QEMU has its registers, and does not send them."""
    with nested(tmp_path, api='papr') as vm:
        wait_counts(vm)
        answer = vm.qmp('migrate', uri=f'file:{tmp_path}/stream')
        assert 'has created nested guests' in answer['error']['desc']
        wait_counts(vm)
        vm.cmd('system_reset')
        wait(vm, lambda report: report.booted == 2)
        wait_counts(vm)


def test_guest_of_papr_begins_while_saving(tmp_path: Path) -> None:
    """The next try to save it is refused at once."""
    path = str(tmp_path / 'socket')
    with nested(tmp_path, '-S', api='papr') as vm, \
            socket.socket(socket.AF_UNIX) as listener:
        # Nobody reads what is saved, so that this does not end.
        listener.bind(path)
        listener.listen(1)
        vm.cmd('migrate', uri=f'unix:{path}')
        bare.wait_status(vm, 'query-migrate', {'active'})
        vm.cmd('cont')
        wait_counts(vm)
        assert vm.cmd('query-migrate')['status'] == 'active'
        vm.cmd('migrate_cancel')
        bare.wait_status(vm, 'query-migrate', {'cancelled'})
        answer = vm.qmp('migrate', uri=f'file:{tmp_path}/stream')
        if 'error' in answer:
            reason = answer['error']['desc']
        else:
            bare.wait_status(vm, 'query-migrate', {'failed'})
            reason = vm.cmd('query-migrate')['error-desc']
        assert 'which cannot be saved' in reason
        wait_counts(vm)


@needs_stock
def test_stock_does_not_leave(tmp_path: Path) -> None:
    """It runs on as long as it likes."""
    with nested(tmp_path, ticks=0, variable=PPC64.stock_variable) as vm:
        before = read(vm)
        report = wait(vm, lambda report:
                      report.counted >= before.counted + SECOND)
        assert report.left == 0


@needs_stock
@pytest.mark.parametrize('api', APIS)
def test_stock_ends_at_a_reset(tmp_path: Path, api: str) -> None:
    """The first hypercall afterwards is taken for its."""
    with nested(tmp_path, api=api, variable=PPC64.stock_variable) as vm:
        wait_counts(vm)
        # It may not answer any more.
        with contextlib.suppress(Exception):
            vm.cmd('system_reset')
        bare.wait_killed(vm, signal.SIGABRT)


@needs_stock
def test_stock_deletes_what_runs(tmp_path: Path) -> None:
    """QEMU uses freed memory, or misses the guest that the vCPU leaves."""
    with nested(tmp_path, '-smp', '2', '-S', api='papr', macro='DELETES',
                ticks=SHORT, variable=PPC64.stock_variable) as vm:
        with contextlib.suppress(Exception):
            vm.cmd('cont')
        bare.wait_killed(vm, signal.SIGABRT, signal.SIGFPE, signal.SIGSEGV)


@needs_stock
def test_stock_saves_half_a_guest_of_papr(tmp_path: Path) -> None:
    """Without a word; there, its registers are those of its hypervisor."""
    with nested(tmp_path, api='papr', variable=PPC64.stock_variable) as vm:
        wait_counts(vm)
        save(vm, f'file:{tmp_path}/stream')


@needs_stock
def test_stock_resets_the_nested_guest(tmp_path: Path) -> None:
    """It gets the system reset, and its hypervisor does not."""
    with nested(tmp_path, variable=PPC64.stock_variable) as vm:
        wait_counts(vm)
        vm.cmd('inject-nmi')
        assert wait(vm, lambda report: report.interrupts == 1).left == 0


@needs_stock
def test_stock_misses_changes(tmp_path: Path) -> None:
    """It stores to a page without C."""
    with nested(tmp_path, '-smp', '2', macro='CHANGES', also='ELSEWHERE',
                variable=PPC64.stock_variable) as vm:
        wait(vm, lambda report: report.missed > 0)


@needs_stock
def test_from_stock(tmp_path: Path) -> None:
    """What stock has saved in a nested guest is refused."""
    stream = f'file:{tmp_path}/stream'
    with nested(tmp_path, variable=PPC64.stock_variable) as vm:
        wait_counts(vm)
        save(vm, stream)
    with nested(tmp_path, '-incoming', stream) as vm:
        vm.wait(60 * environment.time_factor())
        assert vm.exitcode() == 1
        assert 'was saved in a nested guest' in vm.get_log()
