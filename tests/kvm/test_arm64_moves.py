# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: guests move to another inner QEMU of the same host."""

from typing import Iterator

import pytest

from lab import Host, KvmGuest
from moves import Evacuation, Moves, start_guest

HOST = 'arm64'


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest that is well."""
    ready = host.kvm_guest
    if ready is None or ready.damaged:
        ready = start_guest(host)
    yield ready
    host.mend_memory()


class TestMoves(Moves):
    """Without errors."""


class TestEvacuation(Evacuation):
    """With memory that has failed."""
