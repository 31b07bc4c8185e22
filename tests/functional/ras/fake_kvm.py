# SPDX-License-Identifier: GPL-2.0-or-later
"""VMs of x86_64 on a KVM that executes nothing: functional/fake/kvm.c."""

import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List

from . import environment

SOURCE = Path(__file__).resolve().parent.parent / 'fake' / 'kvm.c'

# Nothing but what is needed.
MICROVM = ['-machine', 'microvm,rtc=off,pit=off,pic=off,acpi=off,'
                       'x-option-roms=off,isa-serial=off']
Q35 = ['-machine', 'q35,pit=off,hpet=off,i8042=off,sata=off,smbus=off,'
                   'usb=off,vmport=off,smm=off']


def build(library: Path) -> None:
    """Compile and link it."""
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wall', '-Werror',
                    '-shared', '-fPIC', '-o', str(library), str(SOURCE)],
                   check=True, timeout=60 * environment.time_factor())


def settings(library: Path, plan: str, log: Path) -> Dict[str, str]:
    """Environment of a QEMU whose vCPUs follow this plan."""
    return {'LD_PRELOAD': str(library), 'FAKE_KVM_PLAN': plan,
            'FAKE_KVM_LOG': str(log)}


def arguments(folder: Path, options: List[str]) -> List[str]:
    """Those of such a QEMU, which may need files in this folder."""
    (folder / 'bios').write_bytes(bytes(0x10000))
    (folder / 'kvm').touch()
    return [*options,
            '-accel', f'kvm,kernel-irqchip=on,device={folder}/kvm',
            '-cpu', 'qemu64', '-m', '16M', '-nodefaults',
            '-bios', str(folder / 'bios')]


def machine(variable: str, library: Path, plan: str, folder: Path,
            options: List[str], **more: str) -> Any:
    """Such a VM of that build, with more settings; its log is in @folder."""
    environment.use_qemu_python()
    from qemu.machine import QEMUMachine  # pylint: disable=C0415

    variables = {**settings(library, plan, folder / 'log'), **more}
    return QEMUMachine(
        str(environment.path(variable)), name='fake-kvm',
        base_temp_dir=str(folder), log_dir=str(folder),
        qmp_timer=60 * environment.time_factor(),
        wrapper=['setpriv', '--pdeathsig', 'KILL', '--', 'env',
                 *(f'{name}={value}' for name, value in variables.items())],
        args=arguments(folder, options))
