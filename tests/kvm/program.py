# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of ppc64 that runs host/machine-check-ppc64.S in place of firmware.

It does nothing but take machine checks, when it is told to.
"""

from typing import NamedTuple, Sequence

from lab import Host, KvmGuest

# Where it loads from: the first vCPU, the second.
BAD, BAD_TOO = 0x10000000, 0x10010000
# Ticks of the timebase.
TICKS_PER_US = 512


class Log(NamedTuple):
    """What the handler saw."""

    processor: int
    address: int
    ticks: int    # since the load


def start_program(host: Host, qemu: str, smp: int = 1,
                  extra_args: Sequence[str] = ()) -> KvmGuest:
    """Start it with the inner QEMU of that name; it has registered then."""
    guest = host.launch_guest(qemu, smp, ['-bios /lab/machine-check',
                                          *extra_args])
    # Nobody else can use it.
    guest.damaged = True
    guest.console.wait('^ready', 0, 60 * guest.factor)
    return guest


def wait_log(guest: KvmGuest, mark: int, count: int = 1) -> Log:
    """Wait until the handler has been entered @count times after @mark."""
    line = guest.console.wait('^(log|good|at 200) ', mark, 60 * guest.factor,
                              count)
    assert line.text.startswith('log '), line.text
    return Log(*(int(word, 16) for word in line.text.split()[1:]))


def take(guest: KvmGuest) -> Log:
    """Let the first vCPU load, and take a machine check."""
    mark = guest.console.mark()
    guest.console.send('l')
    return wait_log(guest, mark)
