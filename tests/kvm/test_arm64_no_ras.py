# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: SErrors on a host whose CPUs have no RAS extension.

There is no KVM_CAP_ARM_INJECT_SERROR_ESR: KVM cannot give an SError a
syndrome.  The registers of another host's CPUs would not fit here, so a VM
that comes from one is made of one that was saved here.
"""

import struct
from typing import Iterator, Tuple

import pytest

from lab import STATE, Host, KvmProgram
from ras.bare import SerrorReport
from ras.qemu import QemuError

HOST = 'arm64-no-ras'

# ESR_ELx of an SError, EC and IL; vector of one from the same level.
SERROR = 0x2f << 26 | 1 << 25
SAME_LEVEL = 0x380
UEO = 2 << 10 | 0x11

# The subsection of the vCPU in a saved VM: its name, its version, and then
# (big-endian) pending, has_esr, esr.
SECTION = 'cpu/serror'
FIELDS = '>BBQ'


@pytest.fixture
def program(host: Host) -> Iterator[KvmProgram]:
    """A program that waits for an SError."""
    made = host.start_program('ras')
    made.damaged = True
    made.wait_running()
    yield made


def saved_serror(host: Host) -> Tuple[int, bytes]:
    """Where in STATE the fields of the pending SError are, and what is there.

    The description at the end of the file has the name in a longer string.
    """
    at, = host.command(f'strings -t d {STATE} | awk \'$2 == "{SECTION}" '
                       '{ print $1 }\'').split()
    first = int(at) + len(SECTION) + 4
    size = struct.calcsize(FIELDS)
    seen = host.command(f'dd if={STATE} bs=1 skip={first} count={size} '
                        '2>/dev/null | hexdump -v -e \'1/1 "%02x"\'')
    return first, bytes.fromhex(seen)


def give_syndrome(host: Host, iss: int) -> None:
    """Change the VM in STATE: its pending SError has this syndrome."""
    first, seen = saved_serror(host)
    assert seen == struct.pack(FIELDS, 1, 0, 0)
    text = ''.join(f'\\{byte:03o}' for byte in struct.pack(FIELDS, 1, 1, iss))
    host.command(f"printf '{text}' | "
                 f'dd of={STATE} bs=1 seek={first} conv=notrunc 2>/dev/null')
    assert saved_serror(host) == (first, struct.pack(FIELDS, 1, 1, iss))


def test_only_without_syndrome(program: KvmProgram) -> None:
    """One with a syndrome is refused; one without arrives as such."""
    with pytest.raises(QemuError, match='KVM cannot give an SError a syndrome '
                       r'here \(no KVM_CAP_ARM_INJECT_SERROR_ESR\), because '
                       'the CPUs of this host have no RAS extension; leave '
                       'the syndrome out, or use a host whose CPUs have it'):
        program.inject_serror(0, syndrome=UEO)
    assert program.ras()['serrors'] == []
    assert program.counters()['accepted'] == 0
    program.inject_serror(0)
    assert program.ras()['serrors'] == [{'vcpu': 0}]
    program.qemu.qmp('stop')
    program.move()
    assert program.ras()['serrors'] == [{'vcpu': 0}]
    program.qemu.qmp('cont')
    assert program.release() == SerrorReport(SAME_LEVEL, 1, SERROR)
    assert program.counters()['delivered'] == 1


def test_is_not_loaded(host: Host, program: KvmProgram) -> None:
    """A VM that has one with a syndrome; it goes on where it was."""
    program.inject_serror(0)
    program.qemu.qmp('stop')
    program.save()
    give_syndrome(host, UEO)
    ended = program.try_load()
    assert ended.status == 1, ended
    assert f'ras: vCPU 0 comes with a pending SError of syndrome {UEO:#x}, ' \
        'and KVM cannot give it one here (no KVM_CAP_ARM_INJECT_SERROR_ESR: ' \
        'the CPUs of this host have no RAS extension); move the VM to a ' \
        'host whose CPUs have it, or let the guest run until it has taken ' \
        'the SError' in ended.output, ended
    program.qemu.qmp('cont')
    assert program.ras()['serrors'] == [{'vcpu': 0}]
    assert program.release() == SerrorReport(SAME_LEVEL, 1, SERROR)


def test_stock_drops_the_syndrome(host: Host, program: KvmProgram) -> None:
    """It loads the same VM, and the SError arrives without its syndrome."""
    program.inject_serror(0)
    program.qemu.qmp('stop')
    # The kernel keeps the SError, but the error that it came from, of which
    # stock knows nothing, is discarded.
    program.qemu.qmp('system_reset')
    info = program.ras()
    assert info['serrors'] == [{'vcpu': 0}] and not info['queue']
    program.save()
    give_syndrome(host, UEO)
    stock = host.start_program('stock', [f'-incoming file:{STATE}'])
    stock.damaged = True
    stock.wait_arrived()
    stock.qemu.qmp('cont')
    assert stock.release() == SerrorReport(SAME_LEVEL, 1, SERROR)
