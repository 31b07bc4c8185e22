# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: options that make no sense are refused, with what would; their help."""

import json
import re
import subprocess
from pathlib import Path
from typing import List

import pytest

from ras import environment
from ras.targets import ARM64

MACHINE = 'arm64'
NEEDS_ACPI = "'ras=on' needs ACPI tables: UEFI firmware, a 64-bit CPU and " \
    "machine version 4.2 or later\n"
NO_FIRMWARE = "There is no firmware; add '-bios' with an AArch64 UEFI image.\n"
A15 = "The CPU is a 32-bit one, 'cortex-a15'; use a 64-bit one, '-cpu max' " \
    "for example.\n"
OR_WITHOUT = "Or use 'acpi=off' to go without error records.\n"


def firmware() -> List[str]:
    """UEFI."""
    return ['-bios', str(environment.path('RAS_AAVMF'))]


def has_machine(name: str) -> bool:
    """True if QEMU has a machine of that name."""
    listed = subprocess.run(
        [str(environment.path(ARM64.qemu_variable)), '-machine', 'help'],
        check=True, capture_output=True, text=True,
        timeout=60 * environment.time_factor()).stdout
    return re.search(rf'^{re.escape(name)} ', listed, re.M) is not None


@pytest.mark.parametrize('options, with_firmware, message', [
    ('-machine virt,ras-ghes=on -cpu max', True,
     "'ras-ghes=on' needs 'ras=on'"),
    ('-machine virt,ras=on,ras-ghes=on,acpi=off -cpu max', True,
     "'ras-ghes=on' needs 'acpi=on'"),
    # What is missing is named, and nothing else.
    ('-machine virt,ras=on,ras-ghes=on -cpu max', False,
     NEEDS_ACPI + NO_FIRMWARE + OR_WITHOUT),
    ('-machine virt,ras=on -cpu max', False,
     NEEDS_ACPI + NO_FIRMWARE + OR_WITHOUT),
    ('-machine virt,ras=on -cpu cortex-a15', True,
     NEEDS_ACPI + A15 + OR_WITHOUT),
    ('-machine virt,ras=on', False,
     NEEDS_ACPI + A15 + NO_FIRMWARE + OR_WITHOUT),
    ('-machine virt-4.1,ras=on -cpu max', True,
     f"{NEEDS_ACPI}This machine's version is 'virt-4.1'.\n{OR_WITHOUT}"),
    # What libvirt 9.0 adds if the domain has no <acpi/>.
    ('-machine virt,ras=on -cpu max -no-acpi', True,
     '-no-acpi: invalid option'),
    ('-machine virt,ras=on,ras-ghes=perhaps -cpu max', True,
     "Parameter 'ras-ghes' expects 'on' or 'off'"),
    ('-machine virt,ras=on,ras-ghes=on -cpu max -device ras-ghes', True,
     "Parameter 'driver' expects a pluggable device type"),
    # Where the serial port is, RAM, and nothing that is aligned.
    ('-machine virt,ras=on,ras-ghes=on -cpu max '
     '-global ras-ghes.base=0x09000000', True,
     "'ras-ghes=on' needs the addresses 0x9000000 to 0x901ffff, where there "
     "is 'UART 0'; '-global ras-ghes.base=ADDRESS' uses others"),
    ('-machine virt,ras=on,ras-ghes=on -cpu max '
     '-global ras-ghes.base=0x40000000', True,
     "0x40000000 to 0x4001ffff, where there is 'RAM'"),
    ('-machine virt,ras=on,ras-ghes=on -cpu max '
     '-global ras-ghes.base=0x0b001000', True,
     "not a multiple of 0x10000 below 4 GiB"),
    ('-machine virt,ras=on,ras-ghes=on -cpu max '
     '-global ras-ghes.base=0xffff0000', True,
     "not a multiple of 0x10000 below 4 GiB, where 0x20000 bytes fit"),
    # Also what is there later, or in other VMs.
    *[(f'-machine virt,ras=on,ras-ghes=on -cpu max -global '
       f'ras-ghes.base={base:#x}', True, f"where there is '{what}';")
      for base, what in [
          (0, 'flash'), (0x00010000, 'flash'), (0x07ff0000, 'flash'),
          (0x08000000, 'GIC distributor'), (0x08090000, 'GIC ITS'),
          (0x08fe0000, 'GIC redistributors'), (0x09020000, 'fw_cfg'),
          (0x09050000, 'SMMU'), (0x090b0000, 'secure GPIO'),
          (0x0a000000, 'virtio-mmio'), (0x09ff0000, 'virtio-mmio'),
          (0x0bff0000, 'platform bus'), (0x0c000000, 'platform bus'),
          (0x0d000000, 'platform bus'), (0x0dff0000, 'platform bus'),
          (0x0e000000, 'secure RAM'), (0x0eff0000, 'secure RAM'),
          (0x10000000, 'PCIe MMIO'), (0x3eff0000, 'PCIe I/O ports'),
          (0x3f000000, 'PCIe ECAM'), (0x3fff0000, 'RAM'),
          (0x47ff0000, 'RAM'),
      ]],
    ('-machine virt,ras=on,ras-ghes=on,secure=on -cpu max '
     '-global ras-ghes.base=0x0e000000', True, "is 'secure RAM'"),
    ('-machine virt,ras=on,ras-ghes=on -cpu max -m 1G,slots=1,maxmem=2G '
     '-global ras-ghes.base=0x90000000', True, "is 'memory of devices'"),
    ('-machine virt,ras=on -cpu max -device virt-ras', True,
     "Parameter 'driver' expects a pluggable device type"),
    ('-machine sbsa-ref,ras-ghes=on', False,
     "Property 'sbsa-ref-machine.ras-ghes' not found"),
])
def test_refused(options: str, with_firmware: bool, message: str) -> None:
    """QEMU ends, in an orderly way, and says why."""
    if 'virt-4.1' in options and not has_machine('virt-4.1'):
        pytest.skip('this release of QEMU has no such machine any more')
    ended = subprocess.run([
        str(environment.path(ARM64.qemu_variable)), *options.split(),
        *(firmware() if with_firmware else []), '-display', 'none',
        '-nodefaults', '-S', '-L', str(environment.path('RAS_FIRMWARE'))],
        check=False, capture_output=True, text=True,
        timeout=60 * environment.time_factor())
    assert ended.returncode == 1
    assert message in ended.stderr


def test_help() -> None:
    """The options are described as what they are here."""
    listed = subprocess.run(
        [str(environment.path(ARM64.qemu_variable)), '-machine', 'virt,help'],
        check=True, capture_output=True, text=True,
        timeout=60 * environment.time_factor()).stdout
    described = dict(re.findall(r'^  (ras[-a-z]*)=<bool>\s+- (.*)$', listed,
                                re.MULTILINE))
    assert described == {
        'ras': 'Report hardware errors to the guest by synchronous external '
               'aborts and ACPI error records (default: off)',
        'ras-ghes': 'With ras=on, report hardware errors by a device with '
                    'asynchronous error sources and boot error records '
                    '(default: off)'}


def inject_once(tmp_path: Path, mode: str) -> str:
    """What QEMU answers to an injection while it records or replays."""
    commands = [
        {'execute': 'qmp_capabilities'},
        {'execute': 'ras-inject', 'arguments': {
            'kind': 'memory', 'mode': 'poison', 'severity': 'recoverable',
            'address': 1 << 30}},
        {'execute': 'quit'},
    ]
    ended = subprocess.run([
        str(environment.path(ARM64.qemu_variable)), '-machine', 'virt,ras=on',
        '-cpu', 'max', *firmware(), '-display', 'none', '-nodefaults', '-S',
        '-L', str(environment.path('RAS_FIRMWARE')), '-qmp', 'stdio',
        '-icount', f'shift=3,rr={mode},rrfile={tmp_path}/recording'],
        check=True, capture_output=True, text=True,
        input='\n'.join(map(json.dumps, commands)),
        timeout=60 * environment.time_factor())
    errors = [json.loads(line)['error']['desc']
              for line in ended.stdout.splitlines() if '"error"' in line]
    assert len(errors) == 1
    return errors[0]


def test_record_replay(tmp_path: Path) -> None:
    """What is injected is not in a recording, so a replay would lack it."""
    assert inject_once(tmp_path, 'record').startswith(
        'The VM is being recorded (-icount rr=record), and')
    assert inject_once(tmp_path, 'replay').startswith(
        'The VM is being replayed (-icount rr=replay), and')
