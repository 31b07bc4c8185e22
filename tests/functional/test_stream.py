# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors and poison in a migration stream, as QEMU's own tool shows them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ras import environment
from ras.targets import ARM64, PPC64, Target

PAGE = 4096


def save(target: Target, stream: Path, commands: List[str]) -> None:
    """The stream of a VM that has not run yet, after commands of HMP."""
    commands = [*commands, f'migrate "file:{stream}"', 'quit', '']
    subprocess.run(
        [str(environment.path(target.qemu_variable)), *target.machine_args(),
         '-accel', 'tcg', '-smp', '2', '-m', '256', '-S', '-nodefaults',
         '-display', 'none', '-monitor', 'stdio'],
        input='\n'.join(commands), text=True, check=True,
        stdout=subprocess.PIPE, timeout=120 * environment.time_factor())


def sections(stream: Path) -> Dict[str, Any]:
    """What is in a stream, by the names of its sections."""
    tool = environment.path('RAS_QEMU_PYTHON') / 'analyze-migration.py'
    shown = subprocess.run(
        [sys.executable, str(tool), '-f', str(stream), '-d', 'state'],
        check=True, stdout=subprocess.PIPE)
    # Numbers of sections are behind their names.
    return {name.rsplit(' ', 1)[0]: fields
            for name, fields in json.loads(shown.stdout).items()}


@pytest.mark.parametrize('target', [ARM64, PPC64], ids=['arm64', 'ppc64'])
class TestStream:
    """Without a guest."""

    def test_errors_have_names(self, target: Target, tmp_path: Path) -> None:
        """Each field of two errors and two poisoned ranges can be read."""
        ram = 0x40000000 if target is ARM64 else 0
        consumed = [ram + PAGE, ram + 2 * PAGE]
        poisoned = [ram + 64 * PAGE, ram + 68 * PAGE]
        save(target, tmp_path / 'stream', [
            *(f'ras_inject memory {page:#x} consume recoverable 0'
              for page in consumed),
            *(f'ras_inject memory {page:#x} poison' for page in poisoned)])
        found = sections(tmp_path / 'stream')
        ras = found['ras']
        # Time of the VM counts for errors, and they are of vCPUs.
        order = list(found)
        assert order.index('timer') < order.index('ras')
        assert order.index('cpu_common') < order.index('ras')

        def number(value: str) -> int:
            return int(value.split()[0], 16)

        assert number(ras['last_id']) == 2
        assert number(ras['counts.accepted']) == 2
        assert number(ras['counts.acknowledged']) == 0
        assert ras['check_stopped'] is False
        assert [number(error['id']) for error in ras['errors']] == [1, 2]
        for error, page in zip(ras['errors'], consumed):
            assert number(error['error']['addr']) == page
            assert number(error['error']['len']) == PAGE
            assert number(error['error']['vcpu']) == 0
            assert error['error']['synchronous'] is True
        assert [(number(item['addr']), number(item['len']))
                for item in ras['poison']] == \
            [(page, PAGE) for page in poisoned]

    def test_no_errors_no_section(self, target: Target,
                                  tmp_path: Path) -> None:
        """There is nothing that a QEMU without guest RAS does not know."""
        save(target, tmp_path / 'stream', [])
        names = sections(tmp_path / 'stream')
        assert 'ram' in names
        assert 'ras' not in names
