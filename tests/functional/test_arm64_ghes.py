# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: ras-ghes=on.

Errors that no vCPU has consumed, and what a reset cuts off.
"""

import base64
import subprocess
from pathlib import Path
from typing import List

import pytest

from ras import cases, reports
from ras.guest import Guest
from ras.oracles import Oracle

MACHINE = 'arm64'
GUEST_OPTIONS = {'extra_args': ['-machine', 'ras-ghes=on']}


class TestUserHits(cases.UserHits):
    """See ras/cases.py: a vCPU that takes an error sees no difference."""


@pytest.fixture(name='polled', params=[False, True])
def _polled(request: pytest.FixtureRequest) -> bool:
    """Is the guest to look by itself?"""
    return bool(request.param)


class TestAsynchronous(reports.Asynchronous):
    """See ras/reports.py."""

    def test_firmware_first(self, guest: Guest) -> None:
        """The guest's kernel has found the tables good and complete."""
        guest.console_sync()
        text = '\n'.join(line.text for line in guest.console.since(0))
        assert 'HEST: Table parsing has been initialized' in text
        assert 'APEI firmware first mode is enabled by APEI bit and ' \
            'WHEA _OSC' in text
        for complaint in ('Firmware Bug', 'Firmware Warn', 'ACPI Error',
                          'ACPI BIOS', 'Failed to enable APEI'):
            assert complaint not in text
        assert [(source['name'], source['synchronous'], source['ready'])
                for source in guest.ras()['sources']] == [
                    ('GHESv2 source 0, SEA', True, True),
                    ('GHESv2 source 1, GED', False, True),
                    ('GHESv2 source 2, polled', False, True)]


class TestRecords(reports.Records):
    """See ras/reports.py."""


class TestBootErrorRecords(cases.Case):
    """What the guest did not get to know, it learns at the next boot."""

    @staticmethod
    def records(guest: Guest) -> List[str]:
        """What the kernel that booted last says about the boot before."""
        guest.console_sync()
        lines = [line.text for line in guest.console.since(0)]
        starts = [number for number, line in enumerate(lines)
                  if 'Booting Linux on physical CPU' in line]
        return [line for line in lines[starts[-1]:]
                if 'BERT' in line or '[Hardware Error]' in line]

    def test_nothing_to_tell(self, guest: Guest) -> None:
        """No record after a reset without errors."""
        guest.reset()
        assert not [line for line in self.records(guest)
                    if 'Error records' in line]

    def test_errors_cut_off_by_a_reset(self, guest: Guest,
                                       oracle: Oracle) -> None:
        """Errors that waited for a vCPU, and errors that waited for none."""
        guest.damaged = True
        victim = guest.spawn(cpu=1, pages=2)
        account = guest.account()
        cases.stop_spinning(guest, oracle, {1: victim})
        guest.inject(victim.pa[0], mode='consume', vcpu=1)
        guest.inject(victim.pa[1], mode='report')
        guest.reset()
        account.settle(discarded=2)
        text = '\n'.join(self.records(guest))
        assert 'BERT: Error records from previous boot' in text
        for page in victim.pa:
            assert f'physical_address: {page:#018x}' in text
        assert 'BERT: Total records found: 2' in text

    def test_fatal_error(self, guest: Guest) -> None:
        """A fatal error stops the guest; the next boot tells of it."""
        guest.damaged = True
        victim = guest.spawn()
        mark = guest.console.mark()
        guest.inject(victim.pa[0], mode='report', severity='fatal')
        cases.check_console(guest, mark, [
            'Kernel panic - not syncing: GHES: Fatal hardware error'])
        guest.reset()
        text = '\n'.join(self.records(guest))
        assert 'event severity: fatal' in text
        assert f'physical_address: {victim.pa[0]:#018x}' in text
        assert 'BERT: Total records found: 1' in text
        guest.check_alive()


class TestTables(cases.Case):
    """The tables as the guest has them."""

    def test_iasl_understands_them(self, guest: Guest,
                                   tmp_path: Path) -> None:
        """Disassembled without warnings, assembled to the same bytes."""
        for name in ('HEST', 'BERT', 'DSDT'):
            table = tmp_path / f'{name}.dat'
            table.write_bytes(base64.b64decode(guest.agent.run(
                f'base64 /sys/firmware/acpi/tables/{name}').output))
            for command in (['iasl', '-d', table.name],
                            ['iasl', '-p', f'{name}-again', f'{name}.dsl']):
                said = subprocess.run(
                    command, cwd=tmp_path, check=True, timeout=60, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
                assert 'Invalid' not in said, said
                if command[1] == '-p' and name != 'DSDT':
                    # Stock's part of the DSDT is not ours to judge.
                    assert ' 0 Errors, 0 Warnings' in said, said
            if name != 'DSDT':
                again = tmp_path / f'{name}-again.aml'
                # Behind the header, in which iasl names itself.
                assert again.read_bytes()[36:] == table.read_bytes()[36:]
        text = (tmp_path / 'DSDT.dsl').read_text(encoding='utf-8')
        assert '"PNP0C33"' in text
        assert text.count('"ACPI0013"') == 2
        assert 'Method (_OSC, 4' in text
