# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between the machines: command lines and what Linux says."""

from dataclasses import dataclass
from typing import Callable, List, Optional

from . import environment

# Signal numbers and codes of Linux on both architectures.
SIGBUS = 7
BUS_ADRERR = 2
BUS_OBJERR = 3
BUS_MCEERR_AR = 4


def _arm64_args() -> List[str]:
    return ['-machine', 'virt,ras=on,gic-version=3',
            '-cpu', 'max,pauth-impdef=on',
            '-bios', str(environment.path('RAS_AAVMF'))]


def _ppc64_args() -> List[str]:
    return ['-machine', 'pseries', '-cpu', 'power9', '-nodefaults']


@dataclass(frozen=True)
class Target:
    """One machine of one architecture."""

    name: str
    machine: str
    qemu_variable: str
    stock_variable: str
    kernel_variable: str
    busybox_variable: str
    compiler: str
    # For victims in AArch32 state; None if there are none.
    aarch32_compiler: Optional[str]
    machine_args: Callable[[], List[str]]
    kernel_arguments: str
    # A console line early in the kernel's life.
    kernel_line: str
    # Guest physical addresses: 32 MiB that are used before the kernel runs,
    # and 256 MiB that the kernel uses while it boots (with nokaslr).
    firmware_ram: int
    boot_ram: int
    # Linux may let a process touch the page again before it has taken the
    # page out of use: each time is one more error.  On arm64 this is left to
    # a worker, whose queue of 16 may even be full; on POWER the machine check
    # handler itself sends the signal.
    may_hit_again: bool


ARM64 = Target(
    name='arm64',
    machine='virt',
    qemu_variable='RAS_QEMU_AARCH64',
    stock_variable='RAS_STOCK_QEMU_AARCH64',
    kernel_variable='RAS_KERNEL_ARM64',
    busybox_variable='RAS_BUSYBOX_ARM64',
    compiler='aarch64-linux-gnu-gcc',
    aarch32_compiler='arm-linux-gnueabihf-gcc',
    machine_args=_arm64_args,
    kernel_arguments='console=ttyAMA0 acpi=force',
    kernel_line=r'Booting Linux on physical CPU',
    firmware_ram=0x7e000000,
    boot_ram=0x68000000,
    may_hit_again=True)

PPC64 = Target(
    name='ppc64',
    machine='pseries',
    qemu_variable='RAS_QEMU_PPC64',
    stock_variable='RAS_STOCK_QEMU_PPC64',
    kernel_variable='RAS_KERNEL_PPC64',
    busybox_variable='RAS_BUSYBOX_PPC64',
    compiler='powerpc64le-linux-gnu-gcc',
    aarch32_compiler=None,
    machine_args=_ppc64_args,
    kernel_arguments='console=hvc0',
    kernel_line=r'Linux version',
    firmware_ram=0x00400000,
    boot_ram=0x20000000,
    may_hit_again=False)

TARGETS = {target.name: target for target in (ARM64, PPC64)}
