# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: what guest RAS makes of failed memory of the host.

In all layouts of error records: that of QEMU 10.0, where a vCPU learns of an
error when it runs into it; and those where the guest is told as soon as the
host knows, with ras-ghes=on, or of machine types of QEMU 10.2 and later.
"""

from typing import Dict, Iterator, List

import pytest

from checks import HUGE, free_huge_page
from lab import Host, KvmGuest
from ras import environment
from ras.guest import PAGE, Exit, Victim
from ras.oracles import Oracle, oracle_for
from ras.targets import ARM64, BUS_MCEERR_AR

HOST = 'arm64'

HANDLED = Exit(43, 0)
LAYOUTS: Dict[str, List[str]] = {
    'layout-10.0': [], 'layout-full': ['-machine ras-ghes=on']}
if environment.release() >= (10, 2):
    LAYOUTS['layout-10.2'] = ['-machine type=virt']


def ready_guest(host: Host, layout: str, new: bool = False) -> KvmGuest:
    """A guest with that layout that is well."""
    ready = host.kvm_guest
    if ready is None or ready.damaged or ready.flavour != layout or \
            new:
        ready = host.start_guest('ras', extra_args=LAYOUTS[layout])
        ready.flavour = layout
    return ready


@pytest.fixture(scope='module', params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> str:
    """Where the guest's error records are."""
    return request.param


@pytest.fixture
def guest(host: Host, layout: str) -> Iterator[KvmGuest]:
    """A guest with that layout."""
    yield ready_guest(host, layout)


@pytest.fixture
def full_guest(host: Host) -> Iterator[KvmGuest]:
    """A guest with ras-ghes=on."""
    yield ready_guest(host, 'layout-full')


def check_gone(guest: KvmGuest, victim: Victim, page: int = 0) -> None:
    """The guest's own kernel has taken the page from the process."""
    victim.tell(f'load {page} 8')
    seen = victim.sigbus()
    assert seen.code == BUS_MCEERR_AR
    assert seen.address // PAGE == victim.va // PAGE + page
    assert victim.end_after_sigbus() == HANDLED


def test_instruction(host: Host, guest: KvmGuest, layout: str) -> None:
    """A process executes instructions of a page that has failed.

    In newer layouts the guest has given the page up before that, so this
    holds the error back until the instruction is reached.
    """
    victim = guest.spawn(memory='code', pages=2)
    account = guest.account()
    host.poison([victim.pa[1]])
    victim.tell('fetch 1')
    seen = victim.sigbus()
    assert seen.code == BUS_MCEERR_AR
    assert seen.address // PAGE == victim.va // PAGE + 1
    if layout == 'layout-10.0':
        account.settle(acknowledged=1)
        event = account.events('acknowledged')[0]
        assert event['access'] == 'fetch'
        assert event['virtual-address'] == victim.va + PAGE
    assert victim.end_after_sigbus() == HANDLED
    guest.check_alive()


def test_aarch32(host: Host, guest: KvmGuest, layout: str) -> None:
    """A process in AArch32 state uses memory that has failed."""
    victim = guest.spawn(aarch32=1)
    assert victim.va < 1 << 32
    account = guest.account()
    host.poison([victim.pa[0]])
    victim.tell('load')
    seen = victim.sigbus()
    assert seen.code == BUS_MCEERR_AR
    assert seen.address // PAGE == victim.va // PAGE
    if layout == 'layout-10.0':
        account.settle(acknowledged=1)
        assert seen.pc == victim.load_pc
    assert victim.end_after_sigbus() == HANDLED
    guest.check_alive()


def test_told_before_it_is_touched(host: Host, full_guest: KvmGuest) -> None:
    """Action optional: the guest gives up the page; the toucher dies of it."""
    guest = full_guest
    victim, = guest.victims(1)
    account, mark = guest.account(), guest.console.mark()
    host.poison([victim.pa[0]])
    guest.console.wait(Oracle.retired_line(victim.pa[0]), mark,
                       60 * guest.factor)
    account.settle(acknowledged=1)
    event = account.events('acknowledged')[0]
    assert event['origin'] == 'sigbus' and event['synchronous'] is False
    assert not victim.has_exited()
    check_gone(guest, victim)
    assert account.delta()['accepted'] == 1
    guest.check_alive()


def test_not_touched(host: Host, guest: KvmGuest, layout: str) -> None:
    """Failed memory that nobody uses is remembered; nothing else happens."""
    # Who gets the page next, dies of it: in one layout nobody was told.
    guest.damaged = True
    victim, = guest.victims(1)
    account = guest.account()
    host.poison([victim.pa[0]])
    guest.wait_until(lambda: {'address': victim.pa[0], 'length': PAGE} in
                     guest.ras()['host-poisoned'], 'host-poisoned')
    account.settle(acknowledged=int(layout != 'layout-10.0'))
    assert 'blocked-reasons' not in guest.qemu.qmp('query-migrate')
    guest.check_alive()


def test_while_stopped(host: Host, guest: KvmGuest) -> None:
    """Memory fails while the guest is stopped."""
    victims = guest.victims(4)
    guest.qemu.qmp('stop')
    host.poison([victim.pa[0] for victim in victims])
    guest.wait_until(lambda: len(guest.ras()['host-poisoned']) >= len(victims),
                     'host-poisoned')
    guest.qemu.qmp('cont')
    for victim in victims:
        check_gone(guest, victim)
    guest.wait_until(lambda: not guest.ras()['queue'], 'all is acknowledged')
    guest.check_alive()


def test_kernel_hit(host: Host, guest: KvmGuest, layout: str) -> None:
    """The guest's kernel uses it on behalf of a process.

    If it was not told before, it oopses, and the next error is told.  If it
    was, the page is gone, and the process just gets an error.
    """
    guest.damaged = True
    victim = guest.spawn(memory='file', cpu=0)
    other = guest.spawn(cpu=1)
    control = guest.spawn_control()
    mark = guest.console.mark()
    host.poison([victim.pa[0], other.pa[0]])
    if layout != 'layout-10.0':
        guest.console.wait(Oracle.retired_line(victim.pa[0]), mark,
                           60 * guest.factor)
        assert 'value=-1' in victim.ask('exec', 'returned exec ')
    else:
        victim.tell('exec')
        assert victim.wait_exit() == oracle_for(ARM64).kernel_exit
    check_gone(guest, other)
    assert control.count()['bad'] == 0
    guest.check_alive()
    guest.check_not_lost()


def test_reset_in_a_burst(host: Host, guest: KvmGuest) -> None:
    """The machine is reset while 16 processes run into failed pages."""
    guest.damaged = True
    victims = guest.victims(16)
    account = guest.account()
    host.poison([victim.pa[0] for victim in victims])
    guest.tell(victims, 'load meet', answer=False)
    account.wait('accepted')
    guest.reset()
    delta = account.delta()
    assert delta['in-flight'] == 0
    assert delta['accepted'] == sum(
        delta[end] for end in ('acknowledged', 'delivered', 'reclaimed',
                               'discarded'))
    # What has failed was replaced.
    assert guest.ras()['host-poisoned'] == []
    guest.check_alive()
    victim, = guest.victims(1)
    host.poison([victim.pa[0]])
    check_gone(guest, victim)


def test_huge_page(host: Host) -> None:
    """2 MiB fail at once: all 512 pages are given up, none twice."""
    host.command('echo 514 >/proc/sys/vm/nr_hugepages')
    host.command('mount -t hugetlbfs -o pagesize=2M none /ram')
    pages = HUGE // PAGE
    try:
        guest = ready_guest(host, 'layout-full', new=True)
        guest.damaged = True
        # The console is slow here, and would be what takes most of the time.
        guest.agent.run('dmesg -n 1')
        account = guest.account()
        first = free_huge_page(guest)
        host.poison([first + 5 * PAGE])
        account.wait('acknowledged', timeout=120)
        assert guest.ras()['host-poisoned'] == [
            {'address': first, 'length': HUGE}]
        account.settle(acknowledged=1)
        guest.wait_until(
            lambda: guest.agent.run('grep HardwareCorrupted /proc/meminfo')
            .output.split()[1] == str(HUGE // 1024), 'HardwareCorrupted')
        said = 'dmesg | grep "Memory failure" | '
        counts = [guest.agent.run(said + command).output.strip()
                  for command in ('grep -c Recovered', 'wc -l',
                                  'cut -d: -f2 | sort -u | wc -l')]
        assert counts == [str(pages)] * 3
        guest.check_alive()
        guest.check_not_lost()
    finally:
        host.stop_guest()
        host.command('umount /ram; echo 0 >/proc/sys/vm/nr_hugepages')


def test_device_memory(host: Host) -> None:
    """Memory of a device, a PCI BAR, fails: Linux has no page to give up.

    The process that uses it cannot go on; all else does, and QEMU knows.
    """
    host.command('mkdir -p /ram && dd if=/dev/zero of=/ram/bar bs=1M count=1')
    guest = host.start_guest('ras', extra_args=[
        '-object memory-backend-file,id=bar,mem-path=/ram/bar,size=1M,'
        'share=on', '-device ivshmem-plain,memdev=bar'])
    guest.flavour = 'device-memory'
    guest.damaged = True
    said = guest.agent.run(
        'cd /sys/bus/pci/devices; d=$(dirname $(grep -l 0x1110 */device)); '
        'echo 1 >$d/enable; sed -n 3p $d/resource')
    bar = int(said.output.split()[0], 0)
    victim = guest.spawn(memory='device', address=bar, cpu=1)
    assert 'value=0x0' in victim.ask('load', 'done load ')
    control = guest.spawn_control()
    account = guest.account()
    host.poison_file('/ram/bar', [0])
    victim.tell('load')
    account.wait('acknowledged')
    event = account.events('acknowledged')[0]
    assert (event['address'] & -PAGE, event['origin']) == (bar, 'sigbus')
    assert guest.ras()['host-poisoned'] == [{'address': bar, 'length': PAGE}]
    victim.kill()
    assert control.count()['bad'] == 0
    guest.check_alive()
    guest.check_not_lost()
