# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: a host that runs its guests by H_GUEST_RUN_VCPU.

So does Linux under PowerVM, and here with cap-nested-papr=on.  A guest's Linux
would take many minutes to boot, so it is a program.
"""

from lab import Host
from program import BAD, start_program, take

HOST = 'ppc64-v2'

# What the host's kernel says if it uses the older interface.
OLDER = 'falling back to nestedv1'


def test_machine_check(host: Host) -> None:
    """A load of bad memory ends KVM_RUN, and is told with a log."""
    assert not host.console.matching(OLDER)
    guest = start_program(host, 'ras')
    account = guest.account()
    host.break_memory([BAD])
    for _ in range(3):
        log = take(guest)
        assert (log.processor, log.address) == (0, BAD)
    account.settle(acknowledged=3)
    error = account.events('acknowledged')[0]
    assert error['origin'] == 'kvm-nmi' and error['access'] == 'load'
    assert error['address'] == error['virtual-address'] == BAD
    host.mend_memory()
