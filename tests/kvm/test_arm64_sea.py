# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: external aborts of a guest that the host cannot explain.

KVM passes them on to the inner QEMU, as KVM_EXIT_ARM_SEA, or gives the guest
an SError if that has not asked for them, as stock has not: Linux then panics.
"""

from typing import Callable

import pytest

from checks import Patients, expect_loss
from lab import Host, KvmGuest
from ras.oracles import Oracle

HOST = 'arm64-sea'


def check_exits(host: Host, guest: KvmGuest, count: int,
                report: Callable[[str], None]) -> None:
    """That many processes touch bad pages and get SIGBUS; all else lives."""
    patients = Patients(guest, count)
    account, mark = host.account(), guest.console.mark()
    host.break_memory(patients.pages)
    patients.touch(report)
    guest.console.wait(Oracle.retired_line(patients.pages[0]), mark,
                       60 * guest.factor)
    # The host's kernel really knows nothing of it.
    assert account.delta()['accepted'] >= count
    assert account.delta()['acknowledged'] == 0
    patients.check('kvm-sea')


def test_exit_arm_sea(host: Host, guest: KvmGuest,
                      request: pytest.FixtureRequest,
                      report: Callable[[str], None]) -> None:
    """One process touches a bad page."""
    if guest.flavour == 'stock':
        expect_loss(request, 'gets an SError, and the guest panics')
    check_exits(host, guest, 1, report)


@pytest.mark.parametrize('flavour', ['ras'], indirect=True)
def test_exits_of_16_processes_at_once(
        host: Host, guest: KvmGuest, report: Callable[[str], None]) -> None:
    """16 processes on 4 vCPUs touch their 16 bad pages at the same time."""
    check_exits(host, guest, 16, report)
