# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves of a guest from one inner QEMU of a host to another one beside it.

Written once for all hosts.  Whatever fails, the VM goes on, and what it has
in memory that has not failed is the same there.
"""

import contextlib
import os
import random
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence, Set

import pytest

from checks import HUGE, Patients
from lab import GuestLost, Host, KvmGuest
from ras import migration
from ras.agent import fields
from ras.guest import PAGE, Victim
from ras.migration import Way
from ras.qemu import Qemu, QemuError, QemuGone

# How often memory fails while it is copied: more in "make check-long".
FAILURES = int(os.environ.get('RAS_EVACUATIONS', '4'))
# While the VM moves once, at most.
FAILURES_IN_A_MOVE = 8
# Of the guest: each page takes its time here.
MEGABYTES = 256


WAYS: Dict[str, Way] = {
    'precopy': migration.precopy, 'multifd': migration.multifd,
    'postcopy': migration.postcopy, 'file': migration.file,
    'mapped-ram': migration.mapped_ram}


def start_guest(host: Host, qemu: str = 'ras') -> KvmGuest:
    """A guest that is not used by other tests, unless they say so."""
    # Most of the time goes into pages that are not zero, and firmware leaves
    # many behind.
    made = host.start_guest(qemu, megabytes=MEGABYTES, append='init_on_free=1')
    made.damaged = True
    return made


def move(guest: KvmGuest, way: Way, failed: Sequence[int] = ()) -> None:
    """Move a guest, and let it go on; all memory but @failed is the same."""
    def compare(old: Qemu, new: Qemu) -> None:
        assert guest.compare_ram(old, new, failed) == []

    migration.move(guest, way, compare=compare)
    if way is not migration.postcopy:
        guest.qemu.qmp('cont')


def failed_pages(guest: KvmGuest) -> Set[int]:
    """Guest physical addresses of what has failed, or has come so."""
    return {page for each in guest.ras()['host-poisoned']
            for page in range(each['address'],
                              each['address'] + each['length'], PAGE)}


def wait_failed(guest: KvmGuest, pages: Sequence[int]) -> None:
    """Wait until QEMU knows what has failed."""
    guest.wait_until(lambda: set(pages) <= failed_pages(guest),
                     'host-poisoned')


@contextlib.contextmanager
def controlled(guest: KvmGuest) -> Iterator[None]:
    """A process counts, and must neither stop nor lose memory.

    Whatever the guest is told of, it reads.
    """
    control = guest.spawn_control()
    before = control.count()
    told = guest.counters()
    yield
    guest.wait_until(lambda: not guest.counters()['in-flight'],
                     'the end of all errors')
    now = guest.counters()
    assert now['acknowledged'] - told['acknowledged'] == \
        now['accepted'] - told['accepted']
    after = control.count()
    assert after['count'] > before['count']
    assert after['bad'] == 0
    control.kill()
    guest.check_alive()
    guest.check_not_lost()


class Moves:
    """Without errors."""

    @pytest.mark.parametrize('way', WAYS)
    def test_without_errors(self, guest: KvmGuest, way: str) -> None:
        """There and back."""
        guest.damaged = True
        with controlled(guest):
            for _ in range(2):
                move(guest, WAYS[way])
        guest.damaged = False


def sweep(victim: Victim) -> List[int]:
    """Let a victim load from all of its pages; which of them have failed.

    The others are as they should be.
    """
    swept = fields(victim.ask('sweep', 'swept '))
    assert (swept['wrong'], swept['bad']) == ('0', '0'), swept
    lost = [int(number) for number in swept['lost'].split(',') if number]
    assert len(lost) == int(swept['hits'])
    return lost


def check_failed_pages(host: Host, guest: KvmGuest, count: int, way: Way,
                       report: Callable[[str], None]) -> None:
    """So many are told where the guest has moved; one more, back here."""
    lost = failed_pages(guest)
    guest.damaged = True
    with controlled(guest):
        patients = Patients(guest, count)
        late, = guest.victims(1)
        pages = [*patients.pages, late.pa[0]]
        host.poison(pages)
        wait_failed(guest, pages)
        lost |= set(pages)
        move(guest, way, list(lost))
        assert failed_pages(guest) == lost
        patients.moved()
        patients.touch(report)
        patients.check('sigbus', release=False)
        move(guest, way, list(lost))
        assert failed_pages(guest) == lost
        assert sweep(late) == [0]
    # Who has lost a page keeps it, so others are not hit.
    guest.damaged = False


class Evacuation:
    """With memory that has failed, or does so meanwhile."""

    @pytest.mark.parametrize('way, count', [
        pytest.param('precopy', 1, marks=pytest.mark.smoke),
        ('precopy', 64), ('file', 1), ('file', 64)])
    def test_failed_pages(self, host: Host, guest: KvmGuest, way: str,
                          count: int, report: Callable[[str], None]) -> None:
        """They are told where the guest has moved, and when it is back."""
        check_failed_pages(host, guest, count, WAYS[way], report)

    def test_meanwhile(self, host: Host, guest: KvmGuest,
                       report: Callable[[str], None]) -> None:
        """Memory fails while it is copied, at any moment."""
        seed = random.randrange(1 << 32)
        report(f'seed {seed}')
        chance = random.Random(seed)
        victims = [guest.spawn(pages=64) for _ in range(FAILURES // 64 + 1)]
        pages = [page for victim in victims for page in victim.pa]
        chance.shuffle(pages)
        # One has failed before: the kernel must not be who reads the others.
        first = pages.pop()
        host.poison([first])
        wait_failed(guest, [first])
        lost = already = failed_pages(guest)
        guest.damaged = True
        way = FailingPrecopy(host, chance)
        left, more = FAILURES, 4
        begun, tried = time.monotonic(), 0
        with controlled(guest):
            # How long it takes.
            move(guest, way, list(lost))
            while left and pages:
                way.failing = [pages.pop() for _ in range(min(
                    left, len(pages), chance.randint(1, FAILURES_IN_A_MOVE)))]
                left -= len(way.failing)
                tried += len(way.failing)
                failed = lost | set(way.failing)
                move(guest, way, list(failed))
                # What was copied before is good.
                before, lost = lost, failed_pages(guest)
                assert before <= lost <= failed
                for victim in victims:
                    assert [victim.pa[number] for number in sweep(victim)] == \
                        [page for page in victim.pa if page in lost]
                if not left and lost == already and more:
                    # All have failed too late to be lost.
                    left, more = FAILURES, more - 1
        guest.damaged = False
        report(f'{len(lost - already)} of {tried} are lost, {way.moves} '
               f'moves in {time.monotonic() - begun:.0f} s')
        assert lost > already

    def test_old_kernel(self, host: Host,
                        report: Callable[[str], None]) -> None:
        """The same where the kernel cannot mark memory as failed."""
        with host.wrapped('LD_PRELOAD=/lab/old-kernel.so exec "$qemu" "$@"'):
            check_failed_pages(host, start_guest(host), 1,
                               migration.precopy, report)

    def test_stock(self, host: Host) -> None:
        """It refuses, or dies of what it reads."""
        guest = start_guest(host, 'stock')
        host.poison(guest.victims(1)[0].pa)
        with pytest.raises((QemuError, QemuGone, GuestLost)):
            guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
            guest.wait_until(lambda: guest.qemu.qmp('query-migrate')['status']
                             == 'completed', 'the end of the migration')

    def test_huge_page(self, host: Host) -> None:
        """2 MiB of the host have failed, and all of them move."""
        pages = HUGE // PAGE
        with huge_pages(host):
            guest = start_guest(host)
            # The console is slow, and would be what takes most of the time.
            # And Linux has no huge pages by itself in less than 512 MiB.
            enabled = '/sys/kernel/mm/transparent_hugepage/enabled'
            guest.agent.run(f'dmesg -n 1; echo madvise >{enabled}')
            with controlled(guest):
                victim = guest.spawn(memory='huge')
                host.poison(victim.pa)
                wait_failed(guest, victim.pa)
                for way in ('precopy', 'file'):
                    move(guest, WAYS[way], victim.pa)
                    assert failed_pages(guest) == set(range(
                        victim.pa[0], victim.pa[0] + HUGE, PAGE))
                assert sweep(victim) == list(range(pages))


class FailingPrecopy:
    """A precopy, while which pages fail, each at a moment of its own.

    Either the kernel of the host knows at once, or when it is read.
    """

    def __init__(self, host: Host, chance: random.Random) -> None:
        self._host = host
        self._chance = chance
        self._seconds = 0.0   # the last one
        self.failing: List[int] = []
        self.moves = 0

    def __call__(self, old: Qemu, new: Qemu, folder: Path) -> None:
        """It is a Way."""
        moments = sorted(self._chance.random() for _ in self.failing)
        migration.prepare([old, new], 'return-path')
        begun = time.monotonic()
        migration.connect(old, new, folder)
        for page, moment in zip(self.failing, moments):
            time.sleep(max(0, begun + moment * self._seconds -
                           time.monotonic()))
            (self._host.poison if self._chance.random() < 0.5 else
             self._host.break_memory)([page])
        migration.wait_status(old, 'completed')
        migration.wait_arrived(new)
        self._seconds = time.monotonic() - begun
        self.moves += 1
        # What nobody has met must be good when the host uses it again.
        self._host.mend_memory()


@contextlib.contextmanager
def huge_pages(host: Host) -> Iterator[None]:
    """RAM of guests is in huge pages of the host."""
    # Both places, and a bit.
    wanted = 2 * MEGABYTES // 2 + 4
    host.stop_guest()
    host.command('echo 1 >/proc/sys/vm/compact_memory')
    host.command(f'echo {wanted} >/proc/sys/vm/nr_hugepages')
    host.command(f'grep -x {wanted} /proc/sys/vm/nr_hugepages')
    host.command('mount -t hugetlbfs -o pagesize=2M none /ram')
    try:
        yield
    finally:
        host.stop_guest()
        host.command('umount /ram; echo 0 >/proc/sys/vm/nr_hugepages')


