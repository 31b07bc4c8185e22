# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: SErrors, in programs without an operating system, and in Linux."""

import time
from pathlib import Path
from typing import Any, Dict

import pytest

from ras import bare, cases, environment
from ras.bare import SerrorReport as Report
from ras.guest import Guest
from ras.targets import ARM64

MACHINE = 'arm64'

# ESR_ELx: EC and IL of an SError.  Its ISS: DFSC, AET, IDS.
SERROR = 0x2f << 26 | 1 << 25
DFSC = 0x11
UEO = 2 << 10 | DFSC
CE = 6 << 10 | DFSC
IDS = 1 << 24

# DISR_EL1.A, ISR_EL1.A, HCR_EL2.AMO, TGE and E2H, SCR_EL3.EA and NMEA.
A = 1 << 31
ISR_A = 1 << 8
AMO = 1 << 5
TGE = 1 << 27
E2H = 1 << 34
EA = 1 << 3
NMEA = 1 << 20

# DFSR of an SError, in the short format, and its AET.
FSR = 1 << 10 | 6
FSR_AET = 14

# Vectors: an SError from the same level, from a lower one in AArch64; and what
# is synchronous from there, with the syndrome of an SVC.
SAME = 0x380
LOWER = 0x580
LOWER_SYNC = 0x400
SVC = 0x15 << 26 | 1 << 25

# What Linux says when it gives up.
PANIC = 'Kernel panic - not syncing: Asynchronous SError Interrupt'


class Program:
    """A program without an operating system, in a QEMU of its own."""

    def __init__(self, folder: Path, cpu: str = 'max', stock: bool = False,
                 **macros: Any) -> None:
        program = folder / 'serror'
        bare.build_arm64(ARM64, 'serror', program,
                         **{'LEVEL': 1, 'SCR': 0, 'HCR': 0, **macros})
        self.vm = bare.machine(
            ARM64.stock_variable if stock else ARM64.qemu_variable,
            '-machine', 'virt,virtualization=on,secure=on,acpi=off'
            + ('' if stock else ',ras=on'), '-cpu', cpu, '-m', '64M',
            '-L', str(environment.path('RAS_FIRMWARE')), '-nodefaults',
            '-device', f'loader,file={program},cpu-num=0')

    def __enter__(self) -> 'Program':
        self.vm.__enter__()
        return self

    def __exit__(self, *why: object) -> None:
        self.vm.__exit__(*why)

    def read(self) -> Dict[str, int]:
        """The report as it is now."""
        return bare.read_serror_report(lambda command: self.vm.cmd(
            'human-monitor-command', command_line=command))

    def wait(self, word: str) -> Dict[str, int]:
        """Wait until a word of the report is set."""
        end = time.monotonic() + 30 * environment.time_factor()
        while not self.read()[word]:
            assert time.monotonic() < end, self.read()
            time.sleep(0.02)
        return self.read()

    def inject(self, syndrome: int) -> None:
        """Inject an SError, once the program waits for it."""
        self.wait('running')
        self.vm.cmd('ras-inject', kind='serror', vcpu=0, syndrome=syndrome)

    def ras(self) -> Any:
        """The answer of query-ras, whose counters add up."""
        info = self.vm.cmd('query-ras')
        counters = info['counters']
        assert counters['accepted'] == sum(counters[end] for end in (
            'in-flight', 'acknowledged', 'delivered', 'reclaimed', 'discarded'))
        return info

    def wait_migrated(self) -> None:
        """Wait until the migration is over, and went well."""
        end = time.monotonic() + 60 * environment.time_factor()
        while True:
            info = self.vm.cmd('query-migrate')
            if info.get('status') == 'completed':
                return
            assert info.get('status') != 'failed', info
            assert time.monotonic() < end, info
            time.sleep(0.05)

    def result(self) -> Report:
        """What the program reports when it is done."""
        return Report.of(self.wait('done'))


@pytest.mark.parametrize('macros, expected', [
    # SCR_EL3.EA and HCR_EL2.AMO route; a higher level is not masked.
    ({'UNMASK': 1}, Report(SAME, 1, SERROR | UEO)),
    ({'UNMASK': 1, 'HCR': AMO}, Report(LOWER, 2, SERROR | UEO)),
    ({'UNMASK': 1, 'SCR': EA}, Report(LOWER, 3, SERROR | UEO)),
    ({'UNMASK': 1, 'SCR': EA, 'HCR': AMO}, Report(LOWER, 3, SERROR | UEO)),
    # The level's own PSTATE.A masks; what belongs to a lower one waits.
    ({'UNMASK': 1, 'LEVEL': 2, 'HCR': AMO}, Report(SAME, 2, SERROR | UEO)),
    ({'UNMASK': 1, 'LEVEL': 2}, Report(pending=ISR_A)),
    ({'UNMASK': 1, 'LEVEL': 3, 'SCR': EA}, Report(SAME, 3, SERROR | UEO)),
    ({'UNMASK': 1, 'LEVEL': 3}, Report(pending=ISR_A)),
    # ESB defers what is masked, in AArch64 and in AArch32.
    ({'ESB': 1}, Report(deferred=A | UEO)),
    ({'ESB': 1, 'LEVEL': 2}, Report(deferred=A | UEO)),
    ({'ESB': 1, 'LEVEL': 3, 'SCR': EA}, Report(deferred=A | UEO)),
    ({'A32_ESB': 1}, Report(deferred=A | FSR | 2 << FSR_AET)),
    # IESB does not: the handler of an SVC finds it pending.
    ({'IESB': 1}, Report(SAME, 1, SERROR | UEO)),
])
def test_pending(tmp_path: Path, macros: Dict[str, int],
                 expected: Report) -> None:
    """Pending while it is masked; taken, deferred, or kept."""
    with Program(tmp_path, **macros) as program:
        program.inject(UEO)
        assert program.result() == expected
        info = program.ras()
        still = bool(expected.pending)
        assert info['serrors'] == ([{'vcpu': 0, 'syndrome': UEO}]
                                   if still else [])
        assert info['counters']['delivered'] == (0 if still else 1)
        assert [error['state'] for error in info['queue']] == (
            ['notified'] if still else [])


def test_nmea(tmp_path: Path) -> None:
    """SCR_EL3.NMEA: EL3 takes it in the loop, with PSTATE.A set."""
    with Program(tmp_path, UNMASK=1, LEVEL=3, SCR=EA | NMEA) as program:
        program.inject(UEO)
        assert program.result() == Report(SAME, 3, SERROR | UEO)


@pytest.mark.parametrize('hcr, expected', [
    (TGE, Report(LOWER, 2, SERROR | UEO)),
    (TGE | E2H, Report(LOWER_SYNC, 2, SVC, pending=ISR_A)),
    (AMO | E2H, Report(LOWER, 2, SERROR | UEO))])
def test_level_0(tmp_path: Path, hcr: int, expected: Report) -> None:
    """PSTATE.A of EL0 holds it back only from a host kernel at EL2.

    It is looked for before the byte at the serial port is.
    """
    program = Program(tmp_path, LEVEL=0, HOLD=1, HCR=hcr)
    program.vm.set_console()
    with program:
        program.inject(UEO)
        program.vm.console_socket.sendall(b'x')
        assert program.result() == expected
        assert bool(program.ras()['serrors']) == bool(expected.pending)


def test_wfi(tmp_path: Path) -> None:
    """It wakes a vCPU that masks it."""
    with Program(tmp_path, WFI=1) as program:
        program.wait('running')
        time.sleep(0.5)
        assert not program.read()['done']
        program.inject(UEO)
        assert program.result() == Report(pending=ISR_A)


@pytest.mark.parametrize('iss, aet', [
    (DFSC, 0), (1 << 10 | DFSC, 1), (UEO, 2), (3 << 10 | DFSC, 3), (CE, 2),
    (IDS | UEO, 0)])
def test_aarch32(tmp_path: Path, iss: int, aet: int) -> None:
    """An asynchronous data abort, whose DFSR has AET."""
    with Program(tmp_path, A32_UNMASK=1) as program:
        program.inject(iss)
        seen = program.result()
    assert seen.offset == 0x10
    assert seen.esr == FSR | aet << FSR_AET
    # CPSR (noted where else the level is): Abort mode, and A is set.
    assert seen.level & 0x1f == 0x17 and seen.level & 1 << 8


def test_without_ras_extension(tmp_path: Path) -> None:
    """No syndrome, and ESB is a NOP."""
    with Program(tmp_path, cpu='cortex-a57', ESB=1, NO_RAS=1) as program:
        with pytest.raises(Exception, match='RAS extension'):
            program.inject(UEO)
        program.vm.cmd('ras-inject', kind='serror', vcpu=0)
        assert program.result() == Report(SAME, 1, SERROR)


@pytest.mark.parametrize('stock', [False, True])
def test_virtual(tmp_path: Path, stock: bool) -> None:
    """What a hypervisor gives its guest comes as in the base."""
    if stock and not environment.has(ARM64.stock_variable):
        pytest.skip('there is no build of the base')
    with Program(tmp_path, stock=stock, UNMASK=1, HCR=AMO,
                 VSE=UEO) as program:
        assert program.result() == Report(SAME, 1, SERROR | UEO)


def test_move(tmp_path: Path) -> None:
    """It moves while it is masked, and is taken where it arrives."""
    uri = f'file:{tmp_path}/saved'
    with Program(tmp_path, UNMASK=1) as program:
        program.wait('running')
        program.vm.cmd('stop')
        program.inject(UEO)
        program.vm.cmd('migrate', uri=uri)
        program.wait_migrated()
        assert program.ras()['serrors'] == [{'vcpu': 0, 'syndrome': UEO}]
        assert not program.read()['done']
    there = Program(tmp_path, UNMASK=1)
    there.vm.add_args('-incoming', 'defer')
    with there:
        there.vm.cmd('migrate-incoming', uri=uri)
        there.wait_migrated()
        assert there.ras()['serrors'] == [{'vcpu': 0, 'syndrome': UEO}]
        there.vm.cmd('cont')
        assert there.result() == Report(SAME, 1, SERROR | UEO)
        assert not there.ras()['serrors']
        counters = there.ras()['counters']
        assert counters['accepted'] == counters['delivered'] == 1


class TestLinux(cases.Case):
    """All that Linux looks at is the syndrome."""

    @pytest.mark.parametrize('aet', ['ueo', 'ce'])
    def test_goes_on(self, guest: Guest, aet: str) -> None:
        """Nothing was lost: not a word, and no process notices."""
        control = guest.spawn_control()
        account, mark = guest.account(), guest.console.mark()
        for number, vcpu in enumerate((0, 1, 0, 1), 1):
            guest.inject_serror(vcpu, aet=aet)
            account.wait('delivered', number)
        account.settle(delivered=4)
        before = control.count()
        assert before['bad'] == 0
        guest.console_sync()
        assert not guest.console.matching('SError', mark)
        control.kill()
        guest.check_alive()

    def test_beside_a_memory_error(self, guest: Guest) -> None:
        """Neither waits for the other, and both arrive."""
        victim = guest.spawn()
        account = guest.account()
        guest.inject(victim.pa[0])
        victim.tell('load')
        for vcpu in (0, 1):
            guest.inject_serror(vcpu, aet='ce')
        victim.sigbus()
        account.settle(acknowledged=1, delivered=2)
        victim.end_after_sigbus()
        guest.check_alive()

    @pytest.mark.parametrize('syndrome, iss', [
        ({'aet': 'uc'}, DFSC),
        ({'aet': 'ueu'}, 1 << 10 | DFSC),
        ({'aet': 'uer'}, 3 << 10 | DFSC),
        ({'ids': True}, IDS)])
    def test_panics(self, guest: Guest, syndrome: Dict[str, Any],
                    iss: int) -> None:
        """Linux does not trust itself any more; QEMU lives."""
        guest.damaged = True
        account, mark = guest.account(), guest.console.mark()
        guest.inject_serror(1, **syndrome)
        cases.check_console(guest, mark, [
            rf'SError Interrupt on CPU1, code 0x0*{SERROR | iss:x}', PANIC])
        account.settle(delivered=1)
        assert guest.qemu.qmp('query-status')['status'] == 'running'
