# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: guests that move with errors on their way.

The VM stops, gets its errors, and goes on in another inner QEMU: the vCPUs of
KVM there know nothing but what was in the migration stream.
"""

from typing import Callable, Iterator

import pytest

from checks import check_move_of_parked
from lab import Host, KvmGuest

HOST = 'arm64'


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest that gets the time that "cont" takes here."""
    ready = host.kvm_guest
    if ready is None or ready.damaged:
        ready = host.start_guest('ras', extra_args=[
            '-global ras.reclaim-ms=30000'])
    yield ready


@pytest.mark.parametrize('notified', [False, True],
                         ids=['queued', 'notified'])
def test_parked_vcpus(guest: KvmGuest, notified: bool,
                      report: Callable[[str], None]) -> None:
    """Memory errors of three vCPUs wait for their turn."""
    check_move_of_parked(guest, notified, report)
