# SPDX-License-Identifier: GPL-2.0-or-later
"""Test cases with libvirt; written once for all machines and releases.

A test module names its machine and Debian release and subclasses these classes,
in the order in which they are here: what is in Manual needs the disk that the
guest of the other ones has in use.  An event of QEMU is what "virsh
qemu-monitor-event" shows, and a QMP command goes by "virsh
qemu-monitor-command", here as in what comes from the functional tests.
"""

import json
import re
import shutil
import xml.etree.ElementTree as xml
from pathlib import Path
from textwrap import indent
from typing import Any, Dict, Iterator, List, Set

import pytest

from domain import DOCS, NAME, QEMU, DomainGuest, manual_xml
from host import IMAGES, RELEASES, EventStream, Host, Refused, wait_for
from ras import environment, initramfs
from ras.cases import check_user_hit, hit_of
from ras.guest import PAGE, Victim
from ras.oracles import Oracle
from ras.targets import ARM64, Target

README = Path(__file__).resolve().parents[2] / 'README.md'
ARCH = {'arm64': 'aarch64', 'ppc64': 'ppc64le'}


def write(host: Host, text: str) -> str:
    """Name of a file with a domain's XML."""
    file = host.folder / 'domain.xml'
    file.write_text(text, encoding='utf-8')
    return str(file)


class Manual:
    """What the manual says, as it is there; without a guest."""

    @pytest.fixture
    def started(self, host: Host) -> Iterator[List[str]]:
        """Names of domains that are removed after the test."""
        names: List[str] = []
        yield names
        for name in names:
            if host.virsh('domstate', name) != 'shut off':
                host.virsh('destroy', name)
            host.virsh('undefine', '--nvram', name)

    @staticmethod
    def check_ras(host: Host, name: str) -> None:
        """The domain runs, and can report errors."""
        assert host.virsh('domstate', name) == 'running'
        info = host.virsh('qemu-monitor-command', '--hmp', name, 'info ras')
        assert info.startswith('source: ')
        assert 'accepted 0 = ' in info

    def test_domain(self, host: Host, target: Target, release: str,
                    started: List[str]) -> None:
        """The domain is valid, starts and has guest RAS."""
        text = manual_xml(target, release).read_text('utf-8')
        host.virsh('define', '--validate', write(host, text))
        started.append(NAME)
        host.virsh('start', NAME)
        self.check_ras(host, NAME)
        assert '-sandbox on,' in host.qemu_log(NAME)

    def test_virt_install(self, host: Host, target: Target,
                          started: List[str]) -> None:
        """So does the one that virt-install makes."""
        host.make_disk('made')
        host.run('sh', '-euc', virt_install(target))
        started.append('made')
        self.check_ras(host, 'made')

    def test_virt_install_alone(self, target: Target, release: str,
                                logs: Path, tmp_path: Path) -> None:
        """virt-install does not know the machine without Debian's QEMU."""
        arch = ARCH[target.name].replace('ppc64le', 'ppc64')
        host = Host(release, tmp_path, 'alone', logs,
                    without=[f'/usr/bin/qemu-system-{arch}',
                             f'/usr/bin/qemu-system-{ARCH[target.name]}'])
        try:
            host.start()
            host.make_disk('made')
            with pytest.raises(Refused, match='does not support any '
                               'virtualization options for architecture'):
                host.run('sh', '-euc', virt_install(target))
        finally:
            host.close()

    def test_domcapabilities(self, host: Host, target: Target) -> None:
        """libvirt knows the emulator, and has firmware for it."""
        arch = ARCH[target.name]
        emulator = manual_emulator(manual_xml(target, '12').read_text())
        found = xml.fromstring(host.virsh(
            'domcapabilities', '--arch', arch, '--machine', target.machine,
            '--emulatorbin', emulator))
        assert found.findtext('path') == emulator
        assert found.findtext('machine') == f'{target.machine}-10.0'
        if target.name == 'arm64':
            assert 'efi' in [value.text for value in found.findall(
                "os/enum[@name='firmware']/value")]


class ManualArm64(Manual):
    """What is special about arm64."""

    def test_all_sources(self, host: Host, started: List[str]) -> None:
        """The domain with ras-ghes=on has the other sources, too."""
        text = (DOCS / 'arm64-ras-ghes.xml').read_text('utf-8')
        host.virsh('define', '--validate', write(host, text))
        started.append(NAME)
        host.virsh('start', NAME)
        info = host.virsh('qemu-monitor-command', '--hmp', NAME, 'info ras')
        assert re.findall('^source: .*, (SEA|GED|polled), ', info, re.M) == \
            ['SEA', 'GED', 'polled']

    def test_first(self, host: Host, started: List[str]) -> None:
        """The guest of README, which has no disk."""
        text = (DOCS / 'virt-install-first.sh').read_text('utf-8')
        assert indent(text, '    ') in README.read_text('utf-8')
        for name in ('linux', 'initrd.gz'):
            assert f'/var/lib/libvirt/boot/{name}' in text
            file = host.images / name
            shutil.copy(environment.path(ARM64.kernel_variable)
                        if name == 'linux' else initramfs.get(ARM64), file)
        host.run('sh', '-euc', text.replace('/var/lib/libvirt/boot',
                                            str(IMAGES)))
        started.append('first')
        self.check_ras(host, 'first')

    def test_from_source(self, host: Host, release: str,
                         started: List[str]) -> None:
        """UEFI is found by the descriptor of "make install"."""
        data = '/usr/share/qemu-ras'
        descriptor = '70-qemu-ras-aarch64.json'
        own = host.config / 'qemu/firmware'
        own.mkdir(parents=True)
        try:
            # It takes the place of the one that the package has.
            (own / descriptor).write_text(
                host.run('cat', f'{data}/{descriptor}'), 'utf-8')
            text = manual_xml(ARM64, release).read_text('utf-8')
            host.virsh('define', '--validate', write(host, text))
            started.append(NAME)
            host.virsh('start', NAME)
            self.check_ras(host, NAME)
            assert f'{data}/AAVMF_CODE.fd' in host.qemu_log(NAME)
        finally:
            shutil.rmtree(own)

    def test_without_acpi(self, host: Host, release: str,
                          started: List[str]) -> None:
        """libvirt 9.0 has an option for that which QEMU has no longer."""
        text = manual_xml(ARM64, release).read_text('utf-8')
        text = text.replace('<acpi/>', '').replace(" firmware='efi'", '')
        text = re.sub('<firmware>.*</firmware>', '', text, flags=re.S)
        host.virsh('define', '--validate', write(host, text))
        started.append(NAME)
        if release == '12':
            said = host.refuses('start', NAME)
            assert '-no-acpi: invalid option' in said
        else:
            host.virsh('start', NAME)

    def test_feature(self, host: Host, release: str,
                     started: List[str]) -> None:
        """<ras state='on'/> is newer than libvirt 9.0."""
        text = (DOCS / 'arm64-11.3.xml').read_text('utf-8')
        if release == '12':
            said = host.refuses('define', write(host, text))
            assert "unexpected feature 'ras'" in said
        else:
            host.virsh('define', write(host, text))
            started.append(NAME)
            assert "<ras state='on'/>" in host.virsh('dumpxml', NAME)


def virt_install(target: Target) -> str:
    """The commands that the manual has."""
    return (DOCS / f'virt-install-{target.name}.sh').read_text('utf-8')


def manual_emulator(text: str) -> str:
    """The emulator that the domain in @text has."""
    emulator = xml.fromstring(text).findtext('devices/emulator')
    assert emulator
    return emulator


class Errors:
    """An error, by way of libvirt."""

    def test_hit(self, guest: DomainGuest, oracle: Oracle) -> None:
        """The process that touches a poisoned page gets SIGBUS.

        libvirt's own event says what is done, QEMU's where.
        """
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        events = len(guest.host.events.all())
        guest.inject(victim.pa[0])
        victim.tell('load')
        check_user_hit(guest, oracle, hit_of(victim, 'load'), victim, account,
                       mark)
        event = guest.host.wait_event('memory-failure', 'guest', events)
        assert event.domain == NAME
        assert re.sub(r'\s+', ' ', event.data) == \
            'recipient: guest action: inject flags: action required: 1 ' \
            'recursive: 0'

    def test_hmp(self, guest: DomainGuest) -> None:
        """Injection, number and size of bad pages with --hmp."""
        def hmp(command: str) -> str:
            return guest.host.virsh('qemu-monitor-command', '--hmp', NAME,
                                    command)

        victim = guest.spawn(pages=2)
        for page in victim.pa:
            assert hmp(f'ras_inject memory {page:#x} poison') == ''
        ranges = re.findall(r'poisoned: 0x(\w+)\.\.0x(\w+), recoverable',
                            hmp('info ras'))
        assert sum((int(last, 16) + 1 - int(first, 16)) // PAGE
                   for first, last in ranges) == 2
        assert 'bad pages of 4096 bytes: 2, 8 KiB' in hmp('info ras')
        for page in victim.pa:
            assert hmp(f'ras_unpoison {page:#x}') == ''
        assert 'poisoned:' not in hmp('info ras')
        victim.kill()

    def test_refused(self, guest: DomainGuest) -> None:
        """virsh shows QEMU's own text."""
        answer = guest.host.qmp(NAME, 'ras-inject', {
            'kind': 'memory', 'address': 0x10, 'severity': 'recoverable',
            'mode': 'poison'})
        assert 'is not a multiple of the page size' in \
            answer['error']['desc']

    def test_rasctl(self, guest: DomainGuest) -> None:
        """rasctl -d: status, inject, watch, metrics and unpoison."""
        def rasctl(*arguments: str, status: int = 0) -> str:
            return guest.host.run('rasctl', '-d', NAME, *arguments,
                                  status=status)

        victim = guest.spawn()
        rasctl('status')
        rasctl('inject', 'memory', hex(victim.pa[0]))
        shown = json.loads(rasctl('status', '--json', status=1))
        assert [(entry['address'], entry['pages'])
                for entry in shown['bad-memory']] == [(victim.pa[0], 1)]
        watch = guest.host.spawn('rasctl', '-d', NAME, 'watch', '--json',
                                 '--once', '--alarm', '1 pages in 1h')
        heard = EventStream(watch)
        try:
            # It is sure to listen when it has told of the first event.
            def is_listening() -> bool:
                guest.host.virsh('suspend', NAME)
                guest.host.virsh('resume', NAME)
                return bool(heard.lines())

            wait_for(is_listening, 'rasctl watch')
            victim.tell('load')
            victim.sigbus()
            assert watch.wait(60 * guest.factor) == 1
        finally:
            heard.close()
        told = [json.loads(line) for line in heard.lines()]
        assert told[-1]['alarm']['addresses'] == [victim.pa[0]]
        assert 'RAS_ERROR' in [each.get('event') for each in told]
        metrics = rasctl('status', '--metrics')
        assert re.search(r'^qemu_ras_accepted_total\{.*vm="guest".*\} \d',
                         metrics, re.M)
        rasctl('unpoison', '--all')
        victim.tell('exit')
        victim.wait_exit()


class Moving:
    """What all moves have in common."""

    @pytest.fixture
    def victim(self, guest: DomainGuest) -> Victim:
        """A process with a poisoned page, which it has not touched."""
        victim = guest.spawn()
        guest.inject(victim.pa[0])
        return victim

    @pytest.fixture
    def before(self, guest: DomainGuest, victim: Victim) -> Dict[str, Any]:
        """What query-ras said then."""
        before = guest.ras()
        assert [entry['address'] for entry in before['poisoned']] == victim.pa
        return before

    @staticmethod
    def check_arrived(guest: DomainGuest, oracle: Oracle, victim: Victim,
                      before: Dict[str, Any]) -> None:
        """It stands still in a new QEMU, and nothing of it is lost."""
        assert guest.host.virsh('domstate', NAME) == 'paused'
        assert guest.ras() == before
        dump = xml.fromstring(guest.host.virsh('dumpxml', NAME))
        if guest.target.name == 'arm64':
            given = [arg.get('value') for arg in
                     dump.iter(f'{{{QEMU}}}arg')]
            feature = dump.find('features/ras')
            assert 'ras=on' in given or \
                (feature is not None and feature.get('state') == 'on')
        assert dump.findtext('on_crash') == 'preserve'
        guest.resume()
        account, mark = guest.account(), guest.console.mark()
        victim.tell('load')
        check_user_hit(guest, oracle, hit_of(victim, 'load'), victim, account,
                       mark)

    @staticmethod
    def to_host(host: Host, *options: str) -> List[str]:
        """The command that moves it to another host, while it runs."""
        return ['migrate', '--live', '--suspend', '--unsafe', '--persistent',
                '--undefinesource', NAME,
                f'qemu+unix:///session?socket={host.socket()}',
                '--migrateuri', f'unix://{host.folder}/migration', *options]

    def migrate(self, guest: DomainGuest, host: Host, *options: str) -> None:
        """Move it there; it stands still."""
        guest.move(*self.to_host(host, *options), host=host)


class Moves(Moving):
    """The guest goes on in another QEMU; poison and counters come with it."""

    def test_save(self, guest: DomainGuest, oracle: Oracle, victim: Victim,
                  before: Dict[str, Any]) -> None:
        """virsh save and restore."""
        file = str(IMAGES / 'guest.save')
        guest.host.virsh('save', NAME, file)
        assert guest.host.virsh('domstate', NAME) == 'shut off'
        guest.move('restore', '--paused', file)
        self.check_arrived(guest, oracle, victim, before)

    def test_managedsave(self, guest: DomainGuest, oracle: Oracle,
                         victim: Victim, before: Dict[str, Any]) -> None:
        """virsh managedsave and start."""
        guest.host.virsh('managedsave', NAME)
        guest.move('start', '--paused', NAME)
        self.check_arrived(guest, oracle, victim, before)

    def test_snapshot(self, guest: DomainGuest, oracle: Oracle,
                      victim: Victim, before: Dict[str, Any]) -> None:
        """A snapshot of memory and disk, and back to it."""
        memory = str(IMAGES / 'guest.memory')
        if guest.target.name == 'ppc64':
            guest.host.virsh('snapshot-create-as', NAME, 'before')
        else:
            # Firmware in flash memory: only outside of the disk's image.
            guest.host.virsh(
                'snapshot-create-as', NAME, 'before', '--memspec',
                f'snapshot=external,file={memory}', '--diskspec',
                'vda,snapshot=external')
        guest.unpoison(victim.pa[0])
        assert guest.poisoned() == []
        if guest.target.name == 'arm64' and guest.release == '12':
            assert 'revert to external snapshot not supported' in \
                guest.host.refuses('snapshot-revert', NAME, 'before')
            guest.host.virsh('destroy', NAME)
            guest.move('restore', '--paused', memory)
        else:
            guest.move('snapshot-revert', '--paused', NAME, 'before')
        self.check_arrived(guest, oracle, victim, before)
        # A domain with snapshots does not migrate.
        guest.host.virsh('snapshot-delete', '--metadata', NAME, 'before')

    def test_live_migration(self, guest: DomainGuest, oracle: Oracle,
                            hosts: List[Host], victim: Victim,
                            before: Dict[str, Any]) -> None:
        """To another libvirtd while it runs, and back."""
        here, there = hosts
        self.migrate(guest, there)
        assert here.virsh('list', '--all', '--name') == ''
        guest.resume()
        self.migrate(guest, here)
        self.check_arrived(guest, oracle, victim, before)


class Failed(Moving):
    """Memory of the host has failed: it moves, and stays failed.

    What has failed in one test is there in the next, until the last.
    """

    @staticmethod
    def fail(guest: DomainGuest) -> Victim:
        """A process with a page that has failed; nobody knows."""
        victim = guest.spawn()
        start = 0x40000000 if guest.target.name == 'arm64' else 0
        guest.memory().fail(victim.pa[0] - start)
        return victim

    @staticmethod
    def failed(guest: DomainGuest, moved: bool = True) -> Set[int]:
        """Pages that QEMU knows to have failed, here or before a move."""
        return {page for item in guest.ras()['host-poisoned']
                if item.get('moved', False) == moved
                for page in range(item['address'],
                                  item['address'] + item['length'], PAGE)}

    @staticmethod
    def check_hit(guest: DomainGuest, oracle: Oracle, victim: Victim) -> None:
        """Who touches the page gets the error, and nobody else does."""
        control = guest.spawn_control()
        victim.tell('load')
        oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
        assert control.count()['bad'] == 0
        control.kill()
        guest.check_alive()

    def test_failed_save(self, guest: DomainGuest, oracle: Oracle) -> None:
        """virsh save and restore."""
        victim = self.fail(guest)
        file = str(IMAGES / 'guest.save')
        guest.host.virsh('save', NAME, file)
        guest.move('restore', '--paused', file)
        assert self.failed(guest) == {victim.pa[0]}
        guest.resume()
        self.check_hit(guest, oracle, victim)

    def test_failed_live(self, guest: DomainGuest, oracle: Oracle,
                         hosts: List[Host]) -> None:
        """To another libvirtd, where more fails, and back with all of it."""
        here, there = hosts
        before = self.failed(guest)
        first = self.fail(guest)
        self.migrate(guest, there)
        assert self.failed(guest) == before | {first.pa[0]}
        guest.resume()
        second = self.fail(guest)
        self.migrate(guest, here)
        assert self.failed(guest) == before | {first.pa[0], second.pa[0]}
        guest.resume()
        for victim in (first, second):
            self.check_hit(guest, oracle, victim)

    @pytest.mark.needs(RELEASES['13'])
    def test_failed_refused(self, guest: DomainGuest, oracle: Oracle,
                            newer: Host) -> None:
        """To a QEMU without guest RAS it cannot go, and runs on."""
        victim = self.fail(guest)
        # QEMU finds out, so that it can say so at the beginning.
        guest.qemu.hmp(f'xp /1xb {victim.pa[0]:#x}')
        wait_for(lambda: self.failed(guest, False), 'failed memory')
        file = write(newer, guest.host.virsh(
            'dumpxml', '--migratable', NAME).replace(
                '/qemu-ras-system-', '/qemu-system-'))
        said = guest.stay(*self.to_host(newer, '--xml', file), host=newer)
        assert 'failed' in said
        assert "Unknown savevm section or instance 'ras/holes' 0" in \
            newer.qemu_log(NAME)
        assert newer.virsh('list', '--all', '--name') == ''
        assert guest.host.virsh('domstate', NAME) == 'running'
        assert self.failed(guest, False) == {victim.pa[0]}
        self.check_hit(guest, oracle, victim)

    def test_failed_reset(self, guest: DomainGuest) -> None:
        """A reset gives it good memory."""
        guest.reset()
        assert guest.ras()['host-poisoned'] == []
        guest.check_alive()


def crash(guest: DomainGuest, oracle: Oracle) -> None:
    """Let the guest's handler of errors be in bad memory, too."""
    guest.damaged = True
    victim = guest.spawn()
    page = oracle.vector_page(guest)
    guest.inject(victim.pa[0])
    guest.inject(page)
    guest.tell([victim], 'load', answer=False)


class Crash:
    """The guest can do nothing about an error."""

    def test_preserve(self, guest: DomainGuest, oracle: Oracle) -> None:
        """on_crash=preserve keeps it; a reset makes it good."""
        events = len(guest.host.events.all())
        crash(guest, oracle)
        guest.host.wait_event('lifecycle', 'Crashed Panicked', events)
        guest.host.wait_event('memory-failure', 'action: reset', events)
        assert guest.host.virsh('domstate', '--reason', NAME) == \
            'crashed (panicked)'
        guest.reset()
        assert guest.host.virsh('domstate', NAME) == 'running'
        assert guest.poisoned() == []
        guest.check_alive()


class Distribution(Moving):
    """To the QEMU of the distribution, and back.

    Not on ppc64: QEMU 10.0 forgets that vCPUs run (test_ppc64_migration.py).
    """

    def test_distribution(self, guest: DomainGuest, hosts: List[Host]
                          ) -> None:
        """By live migration to a domain with another emulator."""
        here, there = hosts
        ours = here.virsh('dumpxml', '--migratable', NAME)
        theirs = ours.replace('/qemu-ras-system-', '/qemu-system-')
        assert theirs != ours
        for text, host in (theirs, there), (ours, here):
            file = write(host, text)
            self.migrate(guest, host, '--xml', file, '--persistent-xml', file)
            known = 'return' in host.qmp(NAME, 'query-ras', {})
            assert known == (text is ours)
            guest.resume()
            guest.check_alive()


class Upgrade(Moving):
    """From Debian 12 to Debian 13, while it runs."""

    @pytest.mark.needs(RELEASES['13'])
    def test_upgrade(self, guest: DomainGuest, oracle: Oracle, newer: Host,
                     victim: Victim, before: Dict[str, Any]) -> None:
        """By live migration, with poison."""
        self.migrate(guest, newer)
        self.check_arrived(guest, oracle, victim, before)


class Destroy:
    """The last thing that happens to a guest."""

    def test_destroy(self, guest: DomainGuest, oracle: Oracle) -> None:
        """on_crash=destroy ends it."""
        host = guest.host
        host.virsh('set-lifecycle-action', NAME, 'crash', 'destroy')
        events = len(host.events.all())
        crash(guest, oracle)
        host.wait_event('lifecycle', 'Stopped Crashed', events)
        assert host.virsh('domstate', '--reason', NAME) == \
            'shut off (crashed)'
