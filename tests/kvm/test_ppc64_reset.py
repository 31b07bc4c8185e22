# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: reset by a hypercall of the vCPU that is reset.

A program in place of the firmware, host/reset-ppc64.S.  RAS_RESETS is how
often it is reset.
"""

import pytest

from lab import RESETS, Host

HOST = 'ppc64'


@pytest.mark.parametrize('flavour', ['ras', 'stock'])
def test_reset_by_hypercall(host: Host, flavour: str) -> None:
    """Each time r3 points to the device tree, and r1, r4 and r5 are 0."""
    limit = 60 + 5 * RESETS
    host.stop_guest()
    ended = host.agent.run(
        f'rm -f /tmp/reset; timeout {int(limit * host.factor)} /lab/{flavour} '
        f'{" ".join(host.lab.machine_args)} -smp 1 -m 256M -nodefaults '
        '-display none -serial file:/tmp/reset -bios /lab/reset 2>&1',
        limit + 30)
    assert host.command('cat /tmp/reset').strip() == '.' * RESETS + 'D', ended
    assert ended.status == 0, ended
