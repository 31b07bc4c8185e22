# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: the host's kernel finds that memory of a guest has failed.

It takes the page out of use and sends SIGBUS to the inner QEMU.

Each test runs with both inner QEMUs.  What stock does is known, and not ours
to decide: where it may lose the guest, what was seen is reported.
"""

from typing import Callable

from checks import Patients, check_where, stock_may_be_lost
from lab import Host, KvmGuest
from ras.oracles import Oracle

HOST = 'arm64'


def test_lab_knows_where_guest_memory_is(host: Host, guest: KvmGuest) -> None:
    """An address that "where" gives is that of the victim's page."""
    check_where(host, guest)


def test_one_page(host: Host, guest: KvmGuest,
                  report: Callable[[str], None]) -> None:
    """The process that touches the page gets SIGBUS; all else lives."""
    patients = Patients(guest, 1)
    mark = guest.console.mark()
    host.poison(patients.pages)
    patients.touch(report)
    guest.console.wait(Oracle.retired_line(patients.pages[0]), mark,
                       60 * guest.factor)
    if guest.flavour == 'ras':
        assert patients.pages[0] in [
            entry['address'] for entry in guest.ras()['host-poisoned']]
    patients.check('sigbus')


def test_pages_of_64_processes_at_once(
        host: Host, guest: KvmGuest, report: Callable[[str], None]) -> None:
    """64 processes on 4 vCPUs touch their 64 bad pages at the same time.

    Stock aborts if an error comes before the record of the last one was read.
    """
    patients = Patients(guest, 64)
    host.poison(patients.pages)
    with stock_may_be_lost(guest):
        patients.touch(report)
        patients.check('sigbus')


def test_memory_that_fails_when_it_is_touched(
        host: Host, guest: KvmGuest, report: Callable[[str], None]) -> None:
    """The guest's access is an abort of the host, which reads a record."""
    patients = Patients(guest, 1)
    account, mark = host.account(), host.console.mark()
    at = host.where(patients.pages)[0]
    host.break_memory(patients.pages)
    patients.touch(report)
    host.console.wait(Oracle.retired_line(at), mark, 60 * host.factor)
    account.settle(acknowledged=1)
    patients.check('sigbus')
