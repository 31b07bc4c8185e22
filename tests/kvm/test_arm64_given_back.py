# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: failed memory that has become good, and is known to be.

The layout of QEMU 10.0, in which nobody is told of memory that is not used.
"""

from typing import List

from checks import pages_of
from lab import STATE, Host, KvmGuest

HOST = 'arm64'


def failed(guest: KvmGuest) -> List[int]:
    """Guest physical addresses of what has failed."""
    return [each['address'] for each in guest.ras()['host-poisoned']]


def check_readable(guest: KvmGuest) -> None:
    """All memory of the guest can be read; it stands still then."""
    guest.save()
    guest.host.command(f'rm {STATE}')


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
