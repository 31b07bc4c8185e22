# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: a guest that is itself a hypervisor takes its aborts.

QEMU 10.1 and later can give a vCPU EL2 (-machine virtualization=on), if the
host's kernel can.  The guest is a program, functional/bare/el2-abort.S.
"""

import re
from typing import List

import pytest

from lab import Host, KvmProgram
from ras import environment

HOST = 'arm64-nested'

# Of el2-abort.S: what it reports, and its stack pointers.
REPORT = 0x40500000
STACKS = [0x40610000, 0x40620000]
# RAM that it does not use.
BAD = 0x40700000

pytestmark = pytest.mark.skipif(
    environment.release() < (10, 1),
    reason='this base has no EL2 for guests of KVM')


def words(program: KvmProgram) -> List[int]:
    """Running, level, SP_EL1, SP_EL2, done."""
    text = program.qemu.hmp(f'xp /5gx {REPORT:#x}')
    return [int(word, 16) for word in re.findall(r'0x(\w{16})', text)]


@pytest.mark.parametrize('level', [0, 1, 2])
def test_abort(host: Host, level: int) -> None:
    """EL2 takes it, and all stack pointers are what they were."""
    host.stop_guest()
    program = host.kvm_guest = KvmProgram(host, 'ras', 1, [
        '-machine acpi=off,virtualization=on',
        f'-device loader,file=/lab/el2-abort-{level},cpu-num=0'])
    program.damaged = True
    program.launch()
    program.wait_until(lambda: words(program)[0] == 1, 'the program runs')
    program.qemu.qmp('ras-inject', kind='memory', mode='consume', vcpu=0,
                     severity='recoverable', address=BAD)
    program.wait_until(lambda: words(program)[4] == 1, 'the abort is taken')
    assert words(program)[1:4] == [2, *STACKS]
