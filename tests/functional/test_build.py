# SPDX-License-Identifier: GPL-2.0-or-later
"""What users of libvirt count on is in the build, with and without guest RAS.

libvirt leaves out -sandbox if QEMU has not got it, so nothing else would
notice; and it wants VNC for a guest with a screen.
"""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from ras import environment
from ras.qemu import Qemu
from ras.targets import TARGETS

TOP = Path(__file__).resolve().parents[2]

# As libvirt has it.
SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,' \
    'resourcecontrol=deny'
# What /proc/PID/status says of a process with a filter.
FILTERED = 'Seccomp:\t2\n'

each_build = pytest.mark.parametrize('machine, stock', [
    (machine, stock) for machine in TARGETS for stock in (False, True)])


def start(machine: str, stock: bool, name: str, *options: str) -> Qemu:
    """A stopped VM with @options."""
    target = TARGETS[machine]
    vm = Qemu(
        environment.path(target.stock_variable if stock
                         else target.qemu_variable),
        [*target.machine_args(), '-S', '-m', '1G',
         '-L', str(environment.path('RAS_FIRMWARE')), *options],
        f'build-{machine}-{"stock" if stock else "ras"}-{name}')
    vm.launch()
    return vm


@pytest.mark.parametrize('machine', TARGETS)
def test_version(machine: str) -> None:
    """-version says which qemu-ras this is."""
    version = subprocess.run(
        ['dpkg-parsechangelog', '-l', str(TOP / 'debian' / 'changelog'),
         '-S', 'Version'], check=True, stdout=subprocess.PIPE, text=True).stdout
    shown = subprocess.run(
        [environment.path(TARGETS[machine].qemu_variable), '-version'],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    assert f'(qemu-ras {version.strip()})\n' in shown


@each_build
def test_sandbox(machine: str, stock: bool) -> None:
    """With -sandbox, the kernel filters QEMU's system calls."""
    with start(machine, stock, 'sandbox', '-sandbox', SANDBOX) as vm:
        status = Path(f'/proc/{vm.pid}/status').read_text(encoding='ascii')
        assert FILTERED in status
        vm.qmp('cont')
        assert vm.qmp('query-status')['running']
        if not stock:
            vm.qmp('ras-inject', kind='memory', mode='poison',
                   severity='recoverable', address=TARGETS[machine].boot_ram)
            assert len(vm.qmp('query-ras')['poisoned']) == 1
            assert vm.is_running()


@each_build
def test_vnc(machine: str, stock: bool, tmp_path: Path) -> None:
    """A VNC client is served."""
    path = tmp_path / 'vnc'
    with start(machine, stock, 'vnc', '-vnc', f'unix:{path}'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60 * environment.time_factor())
            client.connect(str(path))
            assert re.fullmatch(rb'RFB 003\.\d{3}\n',
                                client.recv(12, socket.MSG_WAITALL))
