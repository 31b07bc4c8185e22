# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: failed memory that has become good, and is known to be.

And signals of the host's kernel that are lost, or late.

The layout of QEMU 10.0, in which nobody is told of memory that is not used.
"""

from typing import List

from checks import free_huge_page, pages_of
from lab import RAM, STATE, Host, KvmGuest
from ras.guest import PAGE

HOST = 'arm64'


def failed(guest: KvmGuest) -> List[int]:
    """Guest physical addresses of what has failed."""
    return [each['address'] for each in guest.ras()['host-poisoned']]


def check_readable(guest: KvmGuest) -> None:
    """All memory of the guest can be read; it stands still then."""
    guest.save()
    guest.host.command(f'rm {STATE}')


def test_given_back(host: Host) -> None:
    """The guest gives the memory back, and what it gets there is good.

    As soon as it has the driver, the guest reports its free pages.  QEMU is
    told of what it has touched only.
    """
    guest = host.start_guest('ras', extra_args=[
        '-mem-prealloc', '-global ras.move-failed-memory=off',
        '-device virtio-balloon-pci,free-page-reporting=on'])
    guest.damaged = True
    page = free_huge_page(guest) + 5 * PAGE
    host.poison([page])
    guest.wait_until(lambda: failed(guest) == [page], 'host-poisoned')
    guest.wait_until(lambda: 'blocked-reasons' in
                     guest.qemu.qmp('query-migrate'), 'blocked')
    assert guest.agent.run('insmod /virtio_balloon.ko').status == 0
    guest.wait_until(lambda: not failed(guest), 'forgotten', 120)
    check_readable(guest)
    # Another failure there is news.  Of memory that was only read, Linux
    # tells nobody.
    guest.qemu.qmp('cont')
    host.command(f'dd if=/dev/zero of={RAM} bs={PAGE} count=1 conv=notrunc '
                 f'seek={(page - host.lab.ram_base) // PAGE}')
    host.poison([page])
    guest.wait_until(lambda: failed(guest) == [page], 'host-poisoned')
    guest.check_alive()


def test_late_signal(host: Host) -> None:
    """A signal names memory that the reset has replaced by good one."""
    with host.wrapped('LD_PRELOAD=/lab/late-signal.so exec "$qemu" "$@"'):
        guest = host.start_guest('ras')
        page, = pages_of(guest.victims(1))
        host.poison([page])
        guest.wait_until(lambda: failed(guest) == [page], 'host-poisoned')
        host.command('touch /tmp/late-signal')
        guest.reset()
        host.command('! test -e /tmp/late-signal')
        assert not failed(guest)
        check_readable(guest)


def let_many_fail(host: Host, guest: KvmGuest, count: int) -> List[int]:
    """Memory fails in so many places while QEMU can take but one signal."""
    pages = pages_of(guest.victims(count))
    process = host.command('cat /tmp/qemu0.pid').strip()
    host.command(f'kill -STOP {process}')
    host.poison(pages)
    host.command(f'kill -CONT {process}')
    return sorted(pages)


def test_lost_signals(host: Host) -> None:
    """What was lost is found, also by a QEMU that has locked itself in."""
    host.command('mkdir -p /ram/empty')
    guest = host.start_guest('ras', extra_args=[
        '-run-with chroot=/ram/empty'])
    guest.damaged = True
    pages = let_many_fail(host, guest, 8)
    guest.wait_until(lambda: sorted(failed(guest)) == pages, 'all are found')


def test_lost_signals_cannot_be_found(host: Host) -> None:
    """QEMU has no way to look for what was lost, and says so once."""
    def said() -> int:
        return sum('cannot be looked for' in line
                   for line in guest.qemu.output())

    with host.wrapped("exec unshare -m sh -c 'mount -t tmpfs none /proc && "
                      'exec "$0" "$@"\' "$qemu" "$@"'):
        guest = host.start_guest('ras')
        for found in 1, 2:
            let_many_fail(host, guest, 2)
            guest.wait_until(lambda found=found: len(failed(guest)) == found,
                             'host-poisoned')
            guest.wait_until(lambda: said() == 1, 'said')
        # Also at a reset, which looks for what it should replace.
        guest.qemu.qmp('system_reset')
        guest.wait_until(lambda: not failed(guest), 'reset')
        assert said() == 1
