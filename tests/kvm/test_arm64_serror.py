# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: SErrors that are injected, and guests that move with them.

With two kernels of the host: the newer one does the exception entry as soon
as it is given an SError that is not masked.  The older one keeps it, as both
do if it is masked, for the vCPU to take.
"""

import re
from typing import Callable, Iterator, List

import pytest

from checks import move_with_errors
from lab import Host, KvmGuest
from ras.bare import SerrorReport
from ras.qemu import QemuError

pytestmark = pytest.mark.parametrize('host', ['arm64', 'arm64-sea'],
                                     indirect=True, scope='module')

# ESR_ELx of an SError: EC, IL and DFSC, and AET from bit 10 on.
SERROR = 0x2f << 26 | 1 << 25 | 0x11
UC, UEO, UER, CE = (aet << 10 | 0x11 for aet in (0, 2, 3, 6))
# Vector of an SError from the same level.
SAME_LEVEL = 0x380
PSTATE_A = 1 << 8

SNAPSHOT = pytest.mark.parametrize('snapshot', [False, True],
                                   ids=['file', 'snapshot'])


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest with 4 vCPUs that gets the time that "cont" takes here."""
    ready = host.kvm_guest
    if ready is None or ready.damaged:
        ready = host.start_guest('ras', extra_args=[
            '-global ras.reclaim-ms=30000'])
    yield ready


def registers(guest: KvmGuest, vcpu: int) -> str:
    """Registers of a vCPU, as the monitor shows them."""
    return guest.qemu.qmp('human-monitor-command', cpu_index=vcpu,
                          command_line='info registers')


def masks(guest: KvmGuest, vcpu: int) -> bool:
    """Does it mask SErrors?  The VM is stopped."""
    pstate = re.search(r'PSTATE=(\w+)', registers(guest, vcpu))
    assert pstate
    return bool(int(pstate[1], 16) & PSTATE_A)


def entered(guest: KvmGuest, *vcpus: int) -> List[int]:
    """Those of the vCPUs that take an SError as soon as KVM is given it."""
    release = re.match(r'(\d+)\.(\d+)', guest.host.hello['release'])
    assert release
    return [vcpu for vcpu in vcpus if not masks(guest, vcpu)] \
        if tuple(map(int, release.groups())) >= (6, 17) else []


def stop_masked(guest: KvmGuest, vcpu: int) -> str:
    """Stop the VM while Linux masks SErrors on a vCPU; its registers.

    It does at the begin and the end of each system call.
    """
    busy = guest.agent.run(
        f'taskset {1 << vcpu:x} dd if=/dev/zero of=/dev/null bs=1 '
        '>/dev/null 2>&1 </dev/null &')
    assert busy.status == 0, busy
    for _ in range(200):
        guest.qemu.qmp('stop')
        if masks(guest, vcpu):
            return registers(guest, vcpu)
        guest.qemu.qmp('cont')
    pytest.fail('Linux never masks SErrors')


def test_linux_goes_on(guest: KvmGuest) -> None:
    """Restartable or corrected: Linux says nothing, and nobody notices."""
    guest.damaged = True
    control = guest.spawn_control()
    account, mark = guest.account(), guest.console.mark()
    for count, aet in enumerate(('ueo', 'ce'), 1):
        guest.inject_serror(1, aet=aet)
        # KVM does not say when it is taken, but it can be asked.
        guest.wait_until(lambda n=count: account.delta()['delivered'] == n,
                         'SError taken')
    account.settle(delivered=2)
    assert guest.ras()['serrors'] == []
    guest.check_alive()
    assert control.count()['bad'] == 0
    control.kill()
    guest.console_sync()
    assert not guest.console.matching('SError', mark)
    guest.damaged = False


@SNAPSHOT
def test_moves_and_goes_on(guest: KvmGuest, snapshot: bool) -> None:
    """The same after a move; one of them was pending because it is masked."""
    guest.damaged = True
    control = guest.spawn_control()
    account, mark = guest.account(), guest.console.mark()
    masked = stop_masked(guest, 1)
    guest.inject_serror(1, aet='ce')
    guest.inject_serror(2, aet='ueo')
    before = guest.ras()
    assert before['serrors'] == [{'vcpu': 1, 'syndrome': CE},
                                 {'vcpu': 2, 'syndrome': UEO}]
    assert before['counters']['in-flight'] == 2
    move_with_errors(guest, snapshot, entered(guest, 1, 2))
    assert registers(guest, 1) == masked
    guest.qemu.qmp('cont')
    guest.wait_until(lambda: account.delta()['delivered'] == 2, 'SErrors taken')
    account.settle(delivered=2)
    assert guest.ras()['serrors'] == []
    guest.agent.run('killall dd')
    guest.check_alive()
    assert control.count()['bad'] == 0
    control.kill()
    guest.console_sync()
    assert not guest.console.matching('SError', mark)
    guest.damaged = False


def wait_panic(guest: KvmGuest, mark: int, vcpu: int, iss: int) -> None:
    """Linux gives up because of that syndrome."""
    guest.console.wait(
        rf'SError Interrupt on CPU{vcpu}, code 0x0*{SERROR | iss:x}', mark,
        60 * guest.factor)
    guest.console.wait('Kernel panic - not syncing: Asynchronous SError '
                       'Interrupt', mark, 60 * guest.factor)


@pytest.mark.parametrize('masked', [False, True],
                         ids=['anywhere', 'masked'])
def test_moves_and_panics(guest: KvmGuest, masked: bool) -> None:
    """Uncontainable: the guest panics where it goes on, with the syndrome."""
    guest.damaged = True
    mark = guest.console.mark()
    if masked:
        stop_masked(guest, 1)
    else:
        guest.qemu.qmp('stop')
    guest.inject_serror(1, aet='uc')
    before = guest.ras()
    assert before['serrors'] == [{'vcpu': 1, 'syndrome': UC}]
    move_with_errors(guest, entered=entered(guest, 1))
    assert not guest.console.matching('SError', mark)
    guest.qemu.qmp('cont')
    wait_panic(guest, mark, 1, UC)
    after = guest.ras()
    assert after['serrors'] == after['queue'] == []
    assert after['counters']['delivered'] == before['counters']['delivered'] + 1


def test_linux_panics(guest: KvmGuest, report: Callable[[str], None]) -> None:
    """And masks SErrors from then on: the next one waits."""
    guest.damaged = True
    mark = guest.console.mark()
    guest.inject_serror(1, aet='uer')
    wait_panic(guest, mark, 1, UER)
    assert guest.counters()['in-flight'] == 0

    guest.inject_serror(1, aet='ce')
    # This is what the kernel of the host says.
    for _ in range(2):
        assert guest.ras()['serrors'] == [{'vcpu': 1, 'syndrome': CE}]
    assert guest.counters()['in-flight'] == 1
    with pytest.raises(QemuError, match='vCPU 1 has an SError pending'):
        guest.inject_serror(1)
    check_over_reset(guest, report)


def check_over_reset(guest: KvmGuest, report: Callable[[str], None]) -> None:
    """KVM keeps it, or not; QEMU knows."""
    guest.qemu.qmp('stop')
    guest.qemu.qmp('system_reset')
    pending = guest.ras()['serrors']
    warned = any('from before the reset' in line
                 for line in guest.qemu.output())
    report('KVM keeps an SError over a reset' if pending else
           'KVM drops an SError at a reset')
    assert pending in ([], [{'vcpu': 1, 'syndrome': CE}])
    assert warned == bool(pending)


@SNAPSHOT
def test_stays_masked(host: Host, snapshot: bool) -> None:
    """A program runs with it pending and masked, here and there; takes it."""
    program = host.start_program('ras')
    program.damaged = True
    program.wait_running()
    program.inject_serror(0, syndrome=UEO)
    pending = [{'vcpu': 0, 'syndrome': UEO}]
    for _ in range(2):
        assert program.ras()['serrors'] == pending
    assert program.report() == SerrorReport()
    program.qemu.qmp('stop')
    move_with_errors(program, snapshot)
    program.qemu.qmp('cont')
    # Asked again and again, the kernel says that it is still there.
    for _ in range(5):
        info = program.ras()
        assert info['serrors'] == pending
        assert info['counters']['in-flight'] == 1
    assert program.report() == SerrorReport()
    assert program.release() == SerrorReport(SAME_LEVEL, 1, SERROR | UEO)
    info = program.ras()
    assert info['serrors'] == info['queue'] == []
    assert info['counters']['delivered'] == 1
