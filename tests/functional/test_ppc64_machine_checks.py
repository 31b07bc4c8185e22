# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: machine checks of all kinds, by name, on all CPU models.

Each is injected into a vCPU that runs a process in user mode, and compared
with what Linux says, and does to the process.
"""

import re
from typing import Any, Callable, List, NamedTuple, Optional

import pytest

from ras.cases import HANDLED, VCPUS, stop_spinning
from ras.guest import Exit, Guest, Victim
from ras.oracles import Ppc64
from ras.targets import BUS_MCEERR_AR, SIGBUS

MACHINE = 'ppc64'
VCPU = 1

FOREIGN = '(foreign/control memory)'


class Cause(NamedTuple):
    """A class and sub-type, and how Linux calls it."""

    what: str
    sub_type: Optional[str]
    text: str
    # Linux repairs SLB and ERAT by itself, and does not tell the process.
    repaired: bool = False
    has_address: bool = True


def causes(what: str, text: str, **options: bool) -> List[Cause]:
    """@text: one line a sub-type, with its name before the colon."""
    pairs = [line.strip().split(': ') for line in text.strip().split('\n')]
    return [Cause(what, sub_type, words, **options)
            for sub_type, words in pairs]


COMMON = [
    *causes('ue', '''fetch: UE Instruction fetch
                     table-walk-fetch: UE Page table walk ifetch
                     load-store: UE Load/Store
                     table-walk-load-store: UE Page table walk Load/Store'''),
    *causes('slb', '''parity: SLB Parity
                      multi-hit: SLB Multihit''', repaired=True),
    *causes('erat', '''parity: ERAT Parity
                       multi-hit: ERAT Multihit''', repaired=True),
    *causes('tlb', '''parity: TLB Parity
                      multi-hit: TLB Multihit'''),
    Cause('d-cache', None, 'D-Cache Unknown', has_address=False),
    Cause('i-cache', None, 'I-Cache Unknown', has_address=False),
]

# What the log has no word for
LINK = [Cause('link', sub_type, 'Unknown ', has_address=False)
        for sub_type in ('fetch', 'table-walk-fetch', 'load',
                         'table-walk-load-store')]
TLBIE = Cause('user', 'tlbie', 'Unknown ', has_address=False)
SCV = Cause('user', 'scv', 'Unknown ', has_address=False)

# Without "store", which is fatal; see below.
REAL_ADDRESS = causes('real-address', f'''
    fetch: Real address Load/Store {FOREIGN}
    fetch-foreign: Real address Load/Store {FOREIGN}
    table-walk-fetch: Real address Page table walk Load/Store {FOREIGN}
    table-walk-fetch-foreign: Real address Page table walk Load/Store {FOREIGN}
    load: Real address Load/Store {FOREIGN}
    load-store-foreign: Real address Load/Store {FOREIGN}
    table-walk-load-store: Real address Page table walk Load/Store {FOREIGN}
    table-walk-load-store-foreign: Real address Page table walk Load/Store \
{FOREIGN}''')

HASH = 'disable_radix'


def machine_check(guest: Guest, cause: Cause, **options: Any) -> Victim:
    """A process in user mode has it; options are those of ras-inject."""
    victim = guest.spawn(cpu=VCPU)
    stop_spinning(guest, Ppc64(), {VCPU: victim})
    if cause.has_address:
        options['effective_address'] = victim.va
        if cause.what == 'ue':
            options['logical_address'] = victim.pa[0]
    guest.inject_machine_check(VCPU, cause.what, cause.sub_type, **options)
    guest.qemu.qmp('cont')
    return victim


def block(cause: Cause, victim: Victim, end: str, how: str = 'Severe') -> str:
    """What the first line of Linux' report has to be."""
    text = f'MCE: CPU{VCPU}: machine check ({how})  {cause.text}'
    # Without addresses, Linux may print those of an earlier error.
    more = r'( DAR: \w+)?( paddr: \w+)?' if cause.what == 'ue' else ''
    if cause.has_address:
        text += f' DAR: {victim.va:016x}'
        if cause.what == 'ue':
            text += f' paddr: {victim.pa[0]:016x}'
        more = ''
    return re.escape(text) + more + re.escape(f' [{end}]')


def check_told(guest: Guest, cause: Cause, hash_mmu: bool) -> None:
    """Not recovered: the process gets SIGBUS, or Linux repairs it."""
    mark = guest.console.mark()
    victim = machine_check(guest, cause)
    timeout = 60 * guest.factor
    if not cause.repaired:
        assert victim.sigbus().code == BUS_MCEERR_AR
        guest.console.wait(block(cause, victim, 'Not recovered'), mark,
                           timeout)
        if cause.what == 'ue':
            guest.console.wait(Ppc64.retired_line(victim.pa[0]), mark,
                               timeout)
        assert victim.end_after_sigbus() == HANDLED
        return
    guest.console.wait(block(cause, victim, 'Recovered'), mark, timeout)
    if cause.what == 'slb' and hash_mmu:
        guest.console.wait(f'SLB contents of cpu 0x{VCPU}', mark, timeout)
    check_goes_on(victim)


def check_goes_on(victim: Victim) -> None:
    """The process was not told."""
    victim.guest.check_alive()
    assert not victim.has_exited()
    assert not victim.guest.agent.lines(rf'^\* victim {victim.id} sigbus ')
    victim.kill()


@pytest.mark.parametrize('cpu, append, more', [
    ('power8', '', LINK),
    ('power9', '', [*LINK, *REAL_ADDRESS, TLBIE]),
    ('power9', HASH, [TLBIE]),
    ('power10', '', [*REAL_ADDRESS, TLBIE, SCV]),
    ('power10', HASH, [SCV]),
])
def test_causes(new_guest: Callable[..., Guest], cpu: str, append: str,
                more: List[Cause]) -> None:
    """Everything that the CPU model has, in one guest."""
    guest = new_guest(extra_args=['-cpu', cpu], append=append).boot()
    all_causes = [*COMMON, *more]
    hash_mmu = cpu == 'power8' or append == HASH
    account = guest.account()
    for cause in all_causes:
        check_told(guest, cause, hash_mmu)
    account.settle(acknowledged=len(all_causes))
    guest.check_alive()


def test_system_reset_of_the_other_cpu(guest: Guest) -> None:
    """Linux gets the stack of a busy CPU by H_SIGNAL_SYS_RESET."""
    victim = guest.spawn(cpu=VCPU)
    victim.ask('spin', 'spinning')
    # Something else may run there at that moment.
    for _ in range(10):
        mark = guest.console.mark()
        guest.agent.run('echo l >/proc/sysrq-trigger')
        guest.console.wait(rf'NMI backtrace for cpu {VCPU}', mark,
                           60 * guest.factor)
        said = guest.console.wait(rf'CPU: {VCPU} .*Comm: ', mark,
                                  60 * guest.factor).text
        if f'Comm: victim-{victim.id} ' in said:
            break
    else:
        pytest.fail('the process does not run')
    check_goes_on(victim)


class TestDispositions:
    """What the platform did about it.

    No page is named: Linux takes it out of use even if the error was
    recovered, but not before the next error, when it belongs to others.
    """

    causes = [cause._replace(has_address=cause.has_address and
                             cause.what != 'ue') for cause in COMMON]

    def test_recovered(self, guest: Guest) -> None:
        """Nobody has to be told, and nobody is."""
        for cause in self.causes:
            mark = guest.console.mark()
            victim = machine_check(guest, cause, disposition='recovered')
            guest.console.wait(block(cause, victim, 'Recovered'), mark,
                               60 * guest.factor)
            check_goes_on(victim)

    def test_one_after_another(self, guest: Guest) -> None:
        """Each waits until the handler of the one before can be interrupted.

        Linux calls ibm,nmi-interlock early; one that came right then would
        overwrite SRR0 and SRR1.
        """
        count = 30
        victim = guest.spawn(cpu=VCPU)
        account = guest.account()
        stop_spinning(guest, Ppc64(), {VCPU: victim})
        for _ in range(count):
            guest.inject_machine_check(VCPU, 'tlb', 'multi-hit',
                                       disposition='recovered')
        guest.qemu.qmp('cont')
        account.settle(acknowledged=count)
        check_goes_on(victim)

    def test_one_after_another_on_both(self, guest: Guest) -> None:
        """The same on two vCPUs in turn: each has its own handler to leave."""
        count = 30
        victims = {vcpu: guest.spawn(cpu=vcpu) for vcpu in VCPUS}
        account = guest.account()
        stop_spinning(guest, Ppc64(), victims)
        for number in range(count):
            guest.inject_machine_check(number % len(VCPUS), 'tlb', 'multi-hit',
                                       disposition='recovered')
        guest.qemu.qmp('cont')
        account.settle(acknowledged=count)
        for victim in victims.values():
            check_goes_on(victim)

    def test_wherever_it_is(self, guest: Guest) -> None:
        """A guest that is not stopped before is not hit where it must not be.

        Its CPUs are often in the first instructions of an interrupt handler,
        or in RTAS.
        """
        count = 40
        account = guest.account()
        for number in range(count):
            guest.agent.send('ping')
            guest.inject_machine_check(number % len(VCPUS), 'tlb', 'multi-hit',
                                       disposition='recovered')
        account.settle(acknowledged=count)
        guest.check_alive()

    def test_limited(self, guest: Guest) -> None:
        """The same, with a warning."""
        for cause in self.causes:
            mark = guest.console.mark()
            victim = machine_check(guest, cause, disposition='limited')
            guest.console.wait('MCE: limited recovery, system may be '
                               'degraded', mark, 60 * guest.factor)
            guest.console.wait(block(cause, victim, 'Recovered'), mark,
                               60 * guest.factor)
            check_goes_on(victim)

    def test_after_fatal(self, guest: Guest) -> None:
        """A fatal one kills, and so does what comes after it."""
        store, tlb = (Cause('real-address', 'store', REAL_ADDRESS[0].text),
                      Cause('tlb', 'multi-hit', 'TLB Multihit'))
        guest.damaged = True
        for cause, severity in ((store, 5), (tlb, 6)):
            mark = guest.console.mark()
            victim = machine_check(guest, cause)
            for pattern in (block(cause, victim, 'Not recovered', 'Fatal'),
                            'Machine check interrupt is fatal',
                            'Oops: Machine check, sig: 7',
                            rf'RTAS: event: \d+, Type: Platform Error '
                            rf'\(224\), Severity: {severity}'):
                guest.console.wait(pattern, mark, 60 * guest.factor)
            assert victim.wait_exit() == Exit(-1, SIGBUS)
