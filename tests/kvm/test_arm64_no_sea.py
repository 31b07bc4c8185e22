# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: external aborts, on a host that does not pass them on.

Its kernel is older than KVM_CAP_ARM_SEA_TO_USER, and does not look into error
records: it can only give the guest an SError.  Nothing above can help that;
this shows that the table in the manual is right.
"""

from typing import Callable

import pytest

from checks import Patients
from lab import GuestLost, Host, KvmGuest

HOST = 'arm64-no-sea'


@pytest.mark.parametrize('flavour', ['ras'], indirect=True)
def test_serror(host: Host, guest: KvmGuest,
                report: Callable[[str], None]) -> None:
    """The guest panics; QEMU has seen no error."""
    patients = Patients(guest, 1)
    account = guest.account()
    host.break_memory(patients.pages)
    with pytest.raises(GuestLost, match='Asynchronous SError Interrupt'):
        patients.touch(report)
    assert guest.qemu.exit_status() is None
    assert account.delta()['accepted'] == 0
