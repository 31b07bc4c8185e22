# SPDX-License-Identifier: GPL-2.0-or-later
"""Each row of docs/comparison.rst that needs no KVM, with each QEMU in it.

A function here has the name of a row, finds out what a QEMU does, and says so in
the words of the table.  So a cell that is not true fails, and so does a row that
nobody has measured.
"""

import dataclasses
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import pytest

import test_ppc64_migration
from ras import bare, cper, environment
from ras.guest import Guest
from ras.migration import move
from ras.qemu import QemuError, QemuGone
from ras.stream import StreamTimeout
from ras.targets import ARM64, PPC64, Target
from test_arm64_routing import ALL_ELS, TEA, nothing_taken_by
from test_ppc64_doorbell import taken_after_saving
from test_ppc64_nested import SECOND, nested, read, wait
from test_ppc64_stock import NOWHERE

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'comparison.rst'
INJECT = 'inject-ghes-v2-error'
CRASHES = {-signal.SIGABRT: 'QEMU crashes (assertion)',
           -signal.SIGSEGV: 'QEMU crashes (SIGSEGV)'}
# Seconds in which a guest shows that it has been woken, before they are stretched.
SOON = 20
NOTHING = '\\-'
READY = r'^\* victim \d+ ready'
# An interrupt that a vCPU has not taken, in "info pic".
PENDING = r'CPU\[000[01]\]: +OS +80'


class Build(NamedTuple):
    """A QEMU, which is a column of the table."""

    column: str
    arm64: str
    ppc64: str

    def of(self, target: Target) -> Target:
        """@target with this QEMU, and nothing of guest RAS in its options."""
        return dataclasses.replace(target, stock_variable={
            'arm64': self.arm64, 'ppc64': self.ppc64}[target.name])

    def is_ours(self) -> bool:
        """With guest RAS?"""
        return self.arm64 == ARM64.qemu_variable

    def guest(self, target: Target, name: str, **options: Any) -> Guest:
        """A guest that has not been started."""
        return Guest(self.of(target), f'{name}-{self.column}', stock=True,
                     **options)

    def all_sources(self) -> List[str]:
        """Options for what QEMU 10.2 always has with ras=on."""
        return ['-machine', 'ras-ghes=on'] if self.is_ours() else []

    def commands(self) -> List[str]:
        """Those of QMP."""
        with bare.machine(self.arm64, '-machine', 'none') as vm:
            return [each['name'] for each in vm.cmd('query-commands')]


BUILDS = [
    Build('10.0', ARM64.stock_variable, PPC64.stock_variable),
    Build('10.2', 'RAS_STOCK_10_2_QEMU_AARCH64', 'RAS_STOCK_10_2_QEMU_PPC64'),
    Build('qemu-ras', ARM64.qemu_variable, PPC64.qemu_variable)]
Row = Callable[[Build, Path], str]
ROWS: Dict[str, Row] = {}


def row(text: str) -> Callable[[Row], Row]:
    """Decorator: this measures the row that begins with @text."""
    def add(function: Row) -> Row:
        ROWS[text] = function
        return function
    return add


def table() -> Iterator[Tuple[str, Dict[str, str]]]:
    """The rows that are about TCG: what happens, and what each QEMU does."""
    text = PAGE.read_text(encoding='utf-8').split('\nKVM\n---\n')[0]
    for each in re.findall(r'^   \* - (.*\n(?:     .*\n)+)', text, re.M):
        cells = [' '.join(cell.split())
                 for cell in re.split(r'^     - ', each, flags=re.M)]
        if cells[0] != 'what happens':
            yield cells[0], dict(zip(('10.0', '10.2', 'qemu-ras'), cells[1:]))


def record(text: str) -> str:
    """One that Linux prints with this text."""
    return cper.block([cper.Entry(cper.VENDOR, cper.INFORMATIONAL, bytes(32),
                                  text)])


@row('``virt,ras=on`` without firmware')
def no_firmware(build: Build, _: Path) -> str:
    """A user has forgotten -bios."""
    done = subprocess.run(
        [environment.path(build.arm64), '-machine', 'virt,ras=on', '-cpu',
         'max', '-nodefaults', '-display', 'none', '-accel', 'qtest',
         '-monitor', 'stdio'], check=False, input='quit\n', text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    if done.returncode in CRASHES:
        return CRASHES[done.returncode]
    assert done.returncode == 1 and '-bios' in done.stdout, done.stdout
    return 'a message says what is missing'


@row('an instruction is to run into bad memory')
def bad_memory(build: Build, _: Path) -> str:
    """A process loads from a page that was made bad."""
    if 'ras-inject' not in build.commands():
        return 'not possible'
    with build.guest(ARM64, 'bad-memory') as guest:
        guest.boot()
        victim = guest.spawn()
        guest.inject(victim.pa[0])
        victim.tell('load')
        victim.sigbus()
        guest.check_alive()
    return '``ras-inject``, mode ``poison``: abort, record, one process is ' \
        'killed'


@row('a record is injected')
def injected(build: Build, _: Path) -> str:
    """A guest that runs."""
    if INJECT not in build.commands():
        return 'no such command'
    with build.guest(ARM64, 'injected', extra_args=build.all_sources()
                     ) as guest:
        guest.boot()
        mark = guest.console.mark()
        guest.qemu.qmp(INJECT, cper=record('one record'))
        guest.console.wait('fru_text: one record', mark, 60 * guest.factor)
    return 'told by interrupt' + \
        (', with ``ras-ghes=on``' if build.is_ours() else '')


@row('a second one, before the guest has acknowledged the first')
def second(build: Build, _: Path) -> str:
    """A guest that stands still meanwhile."""
    if INJECT not in build.commands():
        return NOTHING
    with build.guest(ARM64, 'second', extra_args=build.all_sources()
                     ) as guest:
        guest.boot()
        mark = guest.console.mark()
        guest.qemu.qmp('stop')
        guest.qemu.qmp(INJECT, cper=record('the first'))
        try:
            guest.qemu.qmp(INJECT, cper=record('the second'))
            result = 'waits its turn'
        except QemuError as refused:
            assert 'OSPM does not acknowledge previous error' in str(refused)
            result = 'refused: ``OSPM does not acknowledge previous error``'
        guest.qemu.qmp('cont')
        guest.console.wait('fru_text: the first', mark, 60 * guest.factor)
        if result == 'waits its turn':
            guest.console.wait('fru_text: the second', mark, 60 * guest.factor)
    return result


@row('one before the firmware has run')
def early(build: Build, _: Path) -> str:
    """At the very beginning; does Linux get it in the end?"""
    if INJECT not in build.commands():
        return NOTHING
    with build.guest(ARM64, 'early', paused=True,
                     extra_args=build.all_sources()) as guest:
        guest.launch()
        guest.qemu.qmp(INJECT, cper=record('early bird'))
        guest.qemu.qmp('cont')
        guest.wait_boot(0)
        # One that is injected now comes later than the other.
        guest.qemu.qmp(INJECT, cper=record('late bird'))
        guest.console.wait('fru_text: late bird', 0, 60 * guest.factor)
        told = any('early bird' in line.text
                   for line in guest.console.since(0))
    return 'waits until there is a guest' if told else \
        'accepted, and nothing happens'


@row('one that is not base64')
def not_base64(build: Build, _: Path) -> str:
    """Text that no encoder makes, for a guest that runs."""
    if INJECT not in build.commands():
        return NOTHING
    with build.guest(ARM64, 'not-base64', extra_args=build.all_sources()
                     ) as guest:
        guest.boot()
        try:
            answer = guest.qemu.qmp(INJECT, cper='*')
        except QemuError:
            return 'refused'
        except QemuGone:
            return CRASHES[exit_status(guest)]
    return f'accepted: {answer}'


def exit_status(guest: Guest) -> int:
    """That of a QEMU which is about to end."""
    end = time.monotonic() + 60 * environment.time_factor()
    while guest.qemu.is_running():
        assert time.monotonic() < end
        time.sleep(0.1)
    status = guest.qemu.exit_status()
    assert status is not None
    return status


@row('an external abort is for EL2 or EL3')
def level(build: Build, folder: Path) -> str:
    """SCR_EL3.EA is set, and HCR_EL2.TEA."""
    taken_by = nothing_taken_by(folder, ALL_ELS, build.arm64, EA=1, HCR=TEA,
                                LOAD=1)
    return {1: 'goes to EL1', 3: 'goes where the bits say'}[taken_by]


@row('a physical SError')
def serror(build: Build, _: Path) -> str:
    """There is one command that makes them."""
    return '``ras-inject``, kind ``serror``' \
        if 'ras-inject' in build.commands() else 'there are none'


@row('a process loads from an unassigned address')
def unassigned(build: Build, _: Path) -> str:
    """Linux has registered a handler."""
    with build.guest(PPC64, 'unassigned') as guest:
        guest.boot()
        victim = guest.spawn(memory='device', address=NOWHERE, cpu=1)
        mark = guest.console.mark()
        victim.tell('load')
        if build.is_ours():
            victim.sigbus()
            guest.check_alive()
            return 'machine check with a log; this process is killed'
        guest.console.wait('FWNMI: corrupt r3', mark, 60 * guest.factor,
                           count=10)
        assert not victim.has_exited()
    return 'the handler is entered without a log; Linux goes round in ' \
        '``FWNMI: corrupt r3``'


@row('a vCPU sends itself a system reset')
def system_reset(build: Build, _: Path) -> str:
    """The qtest that has the guest for it, about any QEMU."""
    program = environment.path('RAS_QEMU_QTESTS') / 'ras-ppc-reset-test'
    done = subprocess.run(
        [program, '-p', '/ppc64/ras/pseries/stock/system-reset'], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={
            **os.environ,
            'QTEST_QEMU_BINARY': str(environment.path(PPC64.qemu_variable)),
            PPC64.stock_variable: str(environment.path(build.ppc64))})
    if done.returncode == 0:
        assert '\nok 1 ' in done.stdout
        return 'r3 is lost'
    assert 'assertion failed (mail(vm, MAIL_R3) == 0)' in done.stdout
    return 'the handler gets it'


def wakes(guest: Guest) -> str:
    """What became of the other vCPU of a guest that has moved.

    Once it is idle, it is not woken by an interrupt, which waits for it.  (In the
    end something else may.)
    """
    for _ in range(20):
        mark = guest.agent.stream.mark()
        guest.agent.send('spawn cpu=1')
        try:
            guest.agent.wait_line(READY, mark, 5)
        except StreamTimeout:
            if re.search(PENDING, guest.qemu.hmp('info pic')):
                return 'silent'
            # No, this machine is busy.
            guest.agent.wait_line(READY, mark)
    return 'works'


@row('a VM with several vCPUs has moved')
def moved(build: Build, _: Path) -> str:
    """The one of this release, and one of 10.0."""
    seen = []
    for machine in ('pseries', 'pseries-10.0'):
        with build.guest(PPC64, f'moved-{machine}', extra_args=[
                '-machine', machine]) as guest:
            guest.boot()
            move(guest, stock=True)
            guest.qemu.qmp('cont')
            seen.append(wakes(guest))
    return {('silent', 'silent'): 'all but the first count as stopped, and '
            'get no interrupts',
            ('works', 'silent'): 'mended for its own machine type; those up '
            'to ``pseries-10.0`` hang then',
            ('works', 'works'): 'works'}[seen[0], seen[1]]


@row('it moves with an interrupt that it has not taken')
def interrupt(build: Build, _: Path) -> str:
    """With XIVE.  (With XICS, something else often wakes a vCPU of 10.2.)"""
    with build.guest(PPC64, 'interrupt', extra_args=[
            '-machine', 'ic-mode=xive']) as guest:
        guest.boot()
        lost = any(is_lost(guest) for _ in range(5))
    return 'the interrupt is lost' if lost else 'taken where it arrives'


def is_lost(guest: Guest) -> bool:
    """Does nothing come, when it has moved?"""
    mark = test_ppc64_migration.TestInterrupts().move_with_command(
        guest, stock=True)
    try:
        guest.agent.wait_line('woken', mark, SOON)
    except StreamTimeout:
        return True
    return False


@row('it moves with a doorbell that it has not taken')
def doorbell(build: Build, folder: Path) -> str:
    """By a file."""
    here, there = taken_after_saving(build.ppc64, folder)
    assert here == 1
    return 'taken, or refused by a stock QEMU' if there else 'lost'


@row('it is stopped and saved while a nested guest runs')
def nested_guest(build: Build, folder: Path) -> str:
    """Is it left when QEMU wants to stop?"""
    with nested(folder, ticks=0, variable=build.ppc64) as vm:
        wait(vm, lambda report: report.counted > 0)
        vm.cmd('stop')
        before = read(vm)
        vm.cmd('cont')
        report = wait(vm, lambda report: report.left > before.left or
                      report.counted >= before.counted + SECOND)
    return 'the nested guest is left before' if report.left else \
        'the hypervisor\'s state is not what is saved'


def key_of(text: str) -> str:
    """The function's name for the row that begins like this."""
    found = [name for name in ROWS if text.startswith(name)]
    assert len(found) == 1, text
    return found[0]


@pytest.mark.parametrize('text, cells', [
    pytest.param(text, cells, id=ROWS[key_of(text)].__name__)
    for text, cells in table()])
@pytest.mark.parametrize('build', [
    pytest.param(build, id=build.column,
                 marks=pytest.mark.needs(build.ppc64)) for build in BUILDS])
def test_row(build: Build, text: str, cells: Dict[str, str],
             tmp_path: Path) -> None:
    """The cell says what this QEMU does."""
    does = ROWS[key_of(text)](build, tmp_path)
    # A cell may say the same in short.
    cell = cells[build.column]
    if cell == 'the same':
        cell = cells['10.0']
    assert cell == does


def test_rows() -> None:
    """There is no function without a row."""
    assert {key_of(text) for text, _ in table()} == set(ROWS)
