# SPDX-License-Identifier: GPL-2.0-or-later
"""Test cases of errors that no vCPU has consumed; for each layout of arm64.

See cases.py.  The guest is notified by an interrupt, source 1.  Test modules have
a fixture "polled": is the guest to look by itself, which is source 2?
"""

import re
from typing import List, Tuple

import pytest

from . import cases, cper
from .cases import Case
from .guest import PAGE, Guest, Victim
from .oracles import Oracle
from .targets import BUS_MCEERR_AR

# Most pages that Linux takes from one record.
BATCH = 8


def recovered(victim: Victim, page: int = 0) -> str:
    """Linux has taken a page of a process out of use."""
    return rf'Memory failure: {victim.pa[page] // PAGE:#x}: ' \
        r'recovery action for .* page: Recovered'


def touch(victim: Victim, page: int = 0) -> None:
    """The page is gone: the guest's own kernel says so."""
    victim.tell(f'load {page} 24')
    seen = victim.sigbus()
    assert seen.code == BUS_MCEERR_AR
    assert seen.address & -PAGE == victim.va + page * PAGE
    assert victim.end_after_sigbus() == cases.HANDLED


class Asynchronous(Case):
    """The guest is told before anybody touches the page."""

    def test_page_is_given_up_before_it_is_touched(
            self, guest: Guest, polled: bool) -> None:
        """No signal at the report, one at the access, one error in all."""
        # Linux shows two records in five seconds and drops more.
        guest.agent.run('sleep 5')
        victim = guest.spawn(memory='file')
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0], mode='report', polled=polled)
        cases.check_console(guest, mark, [
            rf'Generic Hardware Error Source: {2 if polled else 1}$',
            'event severity: recoverable',
            rf'physical_address: {victim.pa[0]:#018x}',
            recovered(victim)])
        account.settle(acknowledged=1)
        event = account.events('notified')[0]
        assert event['synchronous'] is False and 'vcpu' not in event
        assert not victim.has_exited()
        touch(victim)
        assert account.delta()['accepted'] == 1
        guest.check_alive()

    def test_corrected(self, guest: Guest) -> None:
        """Noted by the guest, and nothing is given up."""
        guest.agent.run('sleep 5')
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
        cases.check_console(guest, mark, [recovered(victim)
                                          for victim in victims])
        for victim in victims:
            touch(victim)
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
        cases.check_console(guest, mark, [recovered(victim)
                                          for victim in victims])
        for victim in victims:
            touch(victim)

    def test_storm(self, guest: Guest) -> None:
        """A thousand errors: all acknowledged, each page taken once."""
        guest.damaged = True
        before = guest.corrupted()
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
        guest.wait_corrupted(before + count - dropped)
        guest.console_sync()
        assert not [line for line in guest.console.since(mark)
                    if 'already poisoned' in line.text]
        assert guest.agent.run('echo alive').output == 'alive\n'


class Records(Case):
    """Errors of processors, and records that the caller has made."""

    @pytest.fixture(autouse=True)
    def quiet(self, guest: Guest) -> None:
        """Linux shows two records in five seconds and drops more."""
        guest.agent.run('sleep 5')

    @staticmethod
    def identity(guest: Guest, cpu: int) -> Tuple[int, int]:
        """MPIDR_EL1 and MIDR_EL1, as this CPU has told the kernel."""
        said = guest.console.wait(
            rf'CPU{cpu}: Booted secondary processor (0x\w+) \[(0x\w+)\]', 0,
            60 * guest.factor).text
        affinity, midr = re.findall(r'0x\w+', said)[-2:]
        return 1 << 31 | int(affinity, 0), int(midr, 0)

    @pytest.mark.parametrize('part, shown, information', [
        ('cache', '0x02: cache error', [
            'transaction type: Data Access', 'operation type: Data write',
            'cache level: 2', 'processor context not corrupted']),
        ('tlb', '0x04: TLB error', [
            'transaction type: Data Access', 'operation type: Data write',
            'TLB level: 2', 'processor context not corrupted']),
        ('bus', '0x08: bus error', [
            'transaction type: Data Access', 'operation type: Data write',
            'affinity level at which the bus error occurred: 2',
            'processor context not corrupted']),
        ('micro-architectural', '0x10: micro-architectural error', []),
    ])
    def test_arm_processor(self, guest: Guest, part: str, shown: str,
                           information: List[str]) -> None:
        """Linux shows the section as it was injected."""
        mpidr, midr = self.identity(guest, 1)
        account, mark = guest.account(), guest.console.mark()
        # Valid are: transaction type, operation, level, context corrupt.
        value = 0xf | 1 << 16 | 4 << 18 | 2 << 22
        guest.qemu.qmp('ras-inject', kind='arm-processor', vcpu=1, type=part,
                       severity='corrected', count=7,
                       flags=['first', 'propagated'], error_information=value,
                       virtual_address=0xffff87654321,
                       physical_address=0xfeed0000)
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 1$', 'event severity: corrected',
            'fru_text: CPU #', 'section_type: ARM processor error',
            rf'MIDR: {midr:#018x}', rf'\(MPIDR\): {mpidr:#018x}',
            'running state: 0x1', 'Error info structure 0:',
            # Linux counts from 0, though the specification does not.
            'num errors: 8', 'first error captured',
            'propagated error captured', f'error_type: {shown}',
            f'error_info: {value:#018x}', *information,
            'virtual fault address: 0x0000ffff87654321',
            'physical fault address: 0x00000000feed0000'])
        guest.console_sync()
        text = '\n'.join(line.text for line in guest.console.since(mark))
        for absent in ('last error captured', 'overflow occurred',
                       'Error info structure 1', 'Firmware Warn'):
            assert absent not in text
        account.settle(acknowledged=1)

    def test_cache_error_gives_up_a_page(self, guest: Guest,
                                         polled: bool) -> None:
        """Linux treats it as an error of memory."""
        victim = guest.spawn(memory='file')
        account, mark = guest.account(), guest.console.mark()
        guest.qemu.qmp('ras-inject', kind='arm-processor', vcpu=0,
                       type='cache', severity='recoverable', polled=polled,
                       physical_address=victim.pa[0])
        cases.check_console(guest, mark, [
            f'Generic Hardware Error Source: {2 if polled else 1}$',
            'section_type: ARM processor error',
            rf'physical fault address: {victim.pa[0]:#018x}',
            recovered(victim)])
        account.settle(acknowledged=1)
        assert not victim.has_exited()
        touch(victim)
        assert account.delta()['accepted'] == 1
        guest.check_alive()

    def test_cache_error_of_a_vcpu(self, guest: Guest,
                                   oracle: Oracle) -> None:
        """The process that runs there is hit, as by an error of memory."""
        victim = guest.spawn(cpu=1)
        account, mark = guest.account(), guest.console.mark()
        cases.stop_spinning(guest, oracle, {1: victim})
        guest.qemu.qmp('ras-inject', kind='arm-processor', vcpu=1,
                       type='cache', severity='recoverable', synchronous=True,
                       virtual_address=victim.va,
                       physical_address=victim.pa[0])
        assert guest.ras()['parked'] == [1]
        guest.qemu.qmp('cont')
        oracle.check_sigbus(victim.sigbus(), cases.hit_of(victim, 'spin'))
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 0$',
            'section_type: ARM processor error', recovered(victim)])
        account.settle(acknowledged=1)
        assert [(event['class'], event['vcpu'], event['virtual-address'])
                for event in account.events('notified')] == [
                    ('cache', 1, victim.va)]
        assert victim.end_after_sigbus() == cases.HANDLED
        guest.check_alive()

    def test_tlb_error_of_a_vcpu(self, guest: Guest, oracle: Oracle) -> None:
        """Linux cannot help the process that runs there, and ends it."""
        victim = guest.spawn(cpu=1, handler=False)
        account, mark = guest.account(), guest.console.mark()
        cases.stop_spinning(guest, oracle, {1: victim})
        guest.qemu.qmp('ras-inject', kind='arm-processor', vcpu=1, type='tlb',
                       severity='recoverable', synchronous=True)
        guest.qemu.qmp('cont')
        assert victim.wait_exit() == cases.KILLED
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 0$', 'error_type: 0x04: TLB error',
            rf'victim-{victim.id}:{victim.pid}: '
            r'synchronous unrecoverable error \(SIGBUS\)'])
        account.settle(acknowledged=1)
        guest.check_alive()

    def test_record_with_several_sections(self, guest: Guest) -> None:
        """Linux goes through all of them."""
        victims = [guest.spawn(memory='file') for _ in range(2)]
        account, mark = guest.account(), guest.console.mark()
        record = cper.block([
            cper.Entry(cper.VENDOR, cper.CORRECTED, b'pigeon', 'loft 7'),
            *(cper.Entry(cper.MEMORY, cper.RECOVERABLE,
                         cper.memory_section(victim.pa[0]),
                         f'victim-{victim.id}') for victim in victims)])
        guest.qemu.qmp('ras-inject', kind='cper', data=record)
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 1$', 'event severity: recoverable',
            'Error 0, type: corrected', 'fru_text: loft 7',
            f'section type: unknown, {cper.VENDOR}', 'section length: 0x6',
            'Error 1, type: recoverable', 'Error 2, type: recoverable',
            *(f'fru_text: victim-{victim.id}$' for victim in victims),
            *(f'physical_address: {victim.pa[0]:#018x}'
              for victim in victims),
            *(recovered(victim) for victim in victims)])
        account.settle(acknowledged=1)
        for victim in victims:
            touch(victim)
        guest.check_alive()

    def test_record_for_a_vcpu(self, guest: Guest, oracle: Oracle) -> None:
        """The process that runs there is hit."""
        victim = guest.spawn(cpu=1)
        account, mark = guest.account(), guest.console.mark()
        cases.stop_spinning(guest, oracle, {1: victim})
        guest.qemu.qmp('ras-inject', kind='cper', vcpu=1, data=cper.block([
            cper.Entry(cper.MEMORY, cper.RECOVERABLE,
                       cper.memory_section(victim.pa[0]), 'for a vCPU')]))
        guest.qemu.qmp('cont')
        oracle.check_sigbus(victim.sigbus(), cases.hit_of(victim, 'spin'))
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 0$', 'fru_text: for a vCPU',
            recovered(victim)])
        account.settle(acknowledged=1)
        assert victim.end_after_sigbus() == cases.HANDLED
        guest.check_alive()

    def test_inject_ghes_v2_error(self, guest: Guest) -> None:
        """The name that it has in QEMU 10.2."""
        account, mark = guest.account(), guest.console.mark()
        guest.qemu.qmp('inject-ghes-v2-error', cper=cper.block([
            cper.Entry(cper.VENDOR, cper.INFORMATIONAL, bytes(range(32)),
                       'QEMU 10.2')]))
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 1$', 'event severity: info',
            'fru_text: QEMU 10.2', f'section type: unknown, {cper.VENDOR}',
            '00000000: 03020100 07060504 0b0a0908 0f0e0d0c'])
        account.settle(acknowledged=1)

    def test_fatal_record(self, guest: Guest) -> None:
        """The guest stops."""
        guest.damaged = True
        mark = guest.console.mark()
        guest.qemu.qmp('ras-inject', kind='cper', data=cper.block([
            cper.Entry(cper.VENDOR, cper.FATAL, bytes(16), 'the end')]))
        cases.check_console(guest, mark, [
            'event severity: fatal', 'fru_text: the end',
            'Kernel panic - not syncing: GHES: Fatal hardware error'])
        assert guest.qemu.qmp('query-status')['status'] == 'running'
