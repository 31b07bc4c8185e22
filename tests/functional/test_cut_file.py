# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory whose file was cut has not failed: QEMU ends by SIGBUS, as ever."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ras import environment
from ras.targets import TARGETS

RAM = 256 << 20
START = {'arm64': 0x40000000, 'ppc64': 0}


@pytest.mark.parametrize('machine', sorted(TARGETS))
def test_ends_by_sigbus(machine: str, tmp_path: Path) -> None:
    """QEMU reads it for the monitor; the access is not made for ever."""
    target = TARGETS[machine]
    file = tmp_path / 'ram'
    file.touch()
    with subprocess.Popen(
            [str(environment.path(target.qemu_variable)),
             *target.machine_args(), '-machine', 'memory-backend=m',
             '-m', f'{RAM >> 20}M', '-object',
             f'memory-backend-file,id=m,size={RAM},share=on,mem-path={file}',
             '-accel', 'tcg', '-display', 'none', '-nodefaults', '-S',
             '-L', str(environment.path('RAS_FIRMWARE')),
             '-monitor', 'stdio'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        assert qemu.stdin and qemu.stdout
        try:
            assert b'QEMU' in qemu.stdout.readline()
            os.truncate(file, 1 << 20)
            qemu.stdin.write(b'xp /1wx %#x\n' % (START[machine] + RAM // 2))
            qemu.stdin.flush()
            status = qemu.wait(60 * environment.time_factor())
        finally:
            qemu.kill()
    assert status == -signal.SIGBUS
