# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: reset in the middle of accesses to a device.

A program without an operating system, host/reset.S.  RAS_RESETS is how often
it is reset.
"""

import pytest

from lab import RESETS, Host

HOST = 'arm64'


@pytest.mark.parametrize('flavour', ['ras', 'stock'])
def test_reset_while_loading(host: Host, flavour: str) -> None:
    """vCPU 0 begins at the entry, with all registers 0, each time."""
    limit = 60 + 5 * RESETS
    host.stop_guest()
    ended = host.agent.run(
        f'rm -f /tmp/reset; timeout {int(limit * host.factor)} /lab/{flavour} '
        '-machine virt,gic-version=3,accel=kvm -cpu host -smp 2 -m 64M '
        '-nodefaults -display none -serial file:/tmp/reset '
        '-device loader,file=/lab/reset,cpu-num=0 2>&1', limit + 30)
    assert host.command('cat /tmp/reset').strip() == '.' * RESETS + 'D', ended
    assert ended.status == 0, ended
