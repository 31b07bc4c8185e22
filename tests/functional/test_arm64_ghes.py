# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: the full layout (ras-ghes=on).

Errors that no vCPU has consumed, and what a reset cuts off.
"""

import base64
import subprocess
from pathlib import Path
from typing import List

import pytest

from ras import cases
from ras.guest import PAGE, Guest, Victim
from ras.oracles import Oracle
from ras.targets import BUS_MCEERR_AR

MACHINE = 'arm64'
GUEST_OPTIONS = {'extra_args': ['-machine', 'ras-ghes=on']}

# Most pages that Linux takes from one record.
BATCH = 16


class TestUserHits(cases.UserHits):
    """See ras/cases.py: a vCPU that takes an error sees no difference."""


class TestAsynchronous(cases.Case):
    """The guest is told before anybody touches the page."""

    @staticmethod
    def recovered(victim: Victim, page: int = 0) -> str:
        """Linux has taken a page of a process out of use."""
        return rf'Memory failure: {victim.pa[page] // PAGE:#x}: ' \
            r'recovery action for .* page: Recovered'

    @staticmethod
    def touch(victim: Victim, page: int = 0) -> None:
        """The page is gone: the guest's own kernel says so."""
        victim.tell(f'load {page} 24')
        seen = victim.sigbus()
        assert seen.code == BUS_MCEERR_AR
        assert seen.address & -PAGE == victim.va + page * PAGE
        assert victim.end_after_sigbus() == cases.HANDLED

    def test_firmware_first(self, guest: Guest) -> None:
        """The guest's kernel has found the tables good and complete."""
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

    @pytest.mark.parametrize('polled', [False, True])
    def test_page_is_given_up_before_it_is_touched(
            self, guest: Guest, polled: bool) -> None:
        """No signal at the report, one at the access, one error in all."""
        victim = guest.spawn(memory='file')
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0], mode='report', polled=polled)
        cases.check_console(guest, mark, [
            rf'Generic Hardware Error Source: {2 if polled else 1}$',
            'event severity: recoverable',
            rf'physical_address: {victim.pa[0]:#018x}',
            self.recovered(victim)])
        account.settle(acknowledged=1)
        event = account.events('notified')[0]
        assert event['synchronous'] is False and 'vcpu' not in event
        assert not victim.has_exited()
        self.touch(victim)
        assert account.delta()['accepted'] == 1
        guest.check_alive()

    def test_corrected(self, guest: Guest) -> None:
        """Noted by the guest, and nothing is given up."""
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0], mode='report', severity='corrected')
        cases.check_console(guest, mark, [
            'It has been corrected by h/w', 'event severity: corrected',
            rf'physical_address: {victim.pa[0]:#018x}',
            'error_type: 2, single-bit ECC'])
        account.settle(acknowledged=1)
        assert victim.ask('load', 'done ').endswith('good=1')
        victim.kill()

    def test_many_pages_in_one_error(self, guest: Guest) -> None:
        """More pages than a record holds: record after record."""
        count = 5 * BATCH // 2
        victims = guest.burst(count)
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victims[0].pa[0], length=count * PAGE, mode='report')
        account.settle(acknowledged=1)
        cases.check_console(guest, mark, [self.recovered(victim)
                                          for victim in victims])
        for victim in victims:
            self.touch(victim)
        guest.console_sync()
        assert not [line for line in guest.console.since(mark)
                    if 'already poisoned' in line.text]

    def test_errors_while_the_machine_is_stopped(self, guest: Guest) -> None:
        """They are told when it goes on."""
        victims = [guest.spawn(memory='file') for _ in range(BATCH + 4)]
        account, mark = guest.account(), guest.console.mark()
        guest.qemu.qmp('stop')
        for victim in victims:
            guest.inject(victim.pa[0], mode='report')
        assert account.delta()['recorded'] == 0
        assert len(guest.ras()['queue']) == len(victims)
        guest.qemu.qmp('cont')
        account.settle(acknowledged=len(victims))
        cases.check_console(guest, mark, [self.recovered(victim)
                                          for victim in victims])
        for victim in victims:
            self.touch(victim)

    def test_storm(self, guest: Guest) -> None:
        """A thousand errors: all acknowledged, each page taken once."""
        def corrupted() -> int:
            text = guest.agent.run(
                'sleep 1; grep HardwareCorrupted /proc/meminfo').output
            return int(text.split()[1]) * 1024 // PAGE

        guest.damaged = True
        before = corrupted()
        pages = [page for _ in range(20)
                 for page in guest.spawn(pages=50).pa]
        count = 1000
        assert len(set(pages)) == count
        account, mark = guest.account(), guest.console.mark()
        for page in pages:
            guest.inject(page, mode='report')
        account.settle(acknowledged=count, timeout=120)
        delta = account.delta()
        assert delta['acknowledged'] == delta['accepted'] == count
        # Linux may have no room in its own queue, if its CPU is not run.
        guest.console_sync()
        dropped = len(guest.console.matching(
            'buffer overflow when queuing memory failure', mark))
        assert dropped < count // 20
        assert corrupted() == before + count - dropped
        guest.console_sync()
        assert not [line for line in guest.console.since(mark)
                    if 'already poisoned' in line.text]
        assert guest.agent.run('echo alive').output == 'alive\n'


class TestBootErrorRecords(cases.Case):
    """What the guest did not get to know, it learns at the next boot."""

    @staticmethod
    def records(guest: Guest) -> List[str]:
        """What the kernel that booted last says about the boot before."""
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
