# SPDX-License-Identifier: GPL-2.0-or-later
"""A domain of libvirt with one of the guests of the functional tests.

The domain is the one in docs/libvirt, as it is in the manual.  To it come what
the guest needs to be a test's: a kernel that QEMU loads, and two sockets, for
its console and for the commands of the test.  What ras.qemu does with a process
and its QMP socket, is here done by virsh.
"""

import asyncio
import json
import shutil
import time
import xml.etree.ElementTree as xml
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from host import IMAGES, Host, Refused
from ras import environment, failing, initramfs
from ras.guest import RECLAIM_MS, Guest
from ras.qemu import Qemu
from ras.stream import LineStream
from ras.targets import Target

DOCS = Path(__file__).resolve().parents[2] / 'docs' / 'libvirt'
QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0'
xml.register_namespace('qemu', QEMU)
NAME = 'guest'
RAM = 1 << 30


def manual_xml(target: Target, release: str) -> Path:
    """The domain that the manual has for this machine and libvirt."""
    if target.name == 'ppc64':
        return DOCS / 'pseries.xml'
    return DOCS / {'12': 'arm64-9.0.xml', '13': 'arm64-11.3.xml'}[release]


def _socket(parent: xml.Element, tag: str, path: Path) -> xml.Element:
    """A device of QEMU that connects to a socket of the test."""
    device = xml.SubElement(parent, tag, type='unix')
    xml.SubElement(device, 'source', mode='connect', path=str(path))
    return device


def with_test_guest(text: str, sockets: Path, arguments: str) -> str:
    """The domain in @text, with what makes it a test's.

    That is a kernel, sockets, and memory that fails when it is told to.
    """
    domain = xml.fromstring(text)
    system = domain.find('os')
    assert system is not None
    for tag, content in (('kernel', str(IMAGES / 'kernel')),
                         ('initrd', str(IMAGES / 'initrd')),
                         ('cmdline', arguments)):
        xml.SubElement(system, tag).text = content
    devices = domain.find('devices')
    assert devices is not None
    console = devices.find('console')
    assert console is not None
    devices.remove(console)
    _socket(devices, 'serial', sockets / 'console')
    channel = _socket(devices, 'channel', sockets / 'agent')
    xml.SubElement(channel, 'target', type='virtio', name='ras.agent')
    # On a busy machine a vCPU may not run for the second that a guest has by
    # default to acknowledge a record.
    options = domain.find(f'{{{QEMU}}}commandline')
    if options is None:
        options = xml.SubElement(domain, f'{{{QEMU}}}commandline')
    for value in ('-global', 'ras.reclaim-ms='
                  f'{int(RECLAIM_MS * environment.time_factor())}'):
        xml.SubElement(options, f'{{{QEMU}}}arg', value=value)
    for name, path in (('LD_PRELOAD', sockets / 'fail.so'),
                       ('FAIL_SOCKET', sockets / 'fail')):
        xml.SubElement(options, f'{{{QEMU}}}env', name=name, value=str(path))
    return xml.tostring(domain, encoding='unicode')


class _Process:
    """What ras.qemu.Qemu wants of qemu.machine.QEMUMachine, by virsh."""

    _qmp_connection = True

    def __init__(self, host: Host) -> None:
        self.host = host
        self.seen = len(host.qemu_events.all())

    def qmp(self, command: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """Run a QMP command."""
        return self.host.qmp(NAME, command, arguments)

    def get_qmp_events(self, wait: float = 0) -> List[Dict[str, Any]]:
        """The events that have arrived."""
        end = time.monotonic() + wait
        while True:
            new = self.host.qemu_events.all()[self.seen:]
            self.seen += len(new)
            if new:
                return [self._event(each.name, each.data, each.stamp)
                        for each in new]
            if not wait:
                return []
            if time.monotonic() > end:
                raise asyncio.TimeoutError
            time.sleep(0.05)

    @staticmethod
    def _event(name: str, data: str, stamp: str) -> Dict[str, Any]:
        at = datetime.strptime(stamp, '%Y-%m-%d %H:%M:%S.%f%z').astimezone(
            timezone.utc).timestamp()
        return {'event': name,
                'data': {} if data == '<null>' else json.loads(data),
                'timestamp': {'seconds': int(at),
                              'microseconds': int(at % 1 * 1e6)}}

    def is_running(self) -> bool:
        """True if libvirt says that there is a process."""
        try:
            return self.host.virsh('domstate', NAME) != 'shut off'
        except Refused:
            return False

    def exitcode(self) -> Optional[int]:
        """Nobody knows."""
        return None

    def get_pid(self) -> Optional[int]:
        """Not in our namespace."""
        return None

    def shutdown(self, **_: Any) -> None:
        """End it at once."""
        if self.is_running():
            self.host.virsh('destroy', NAME)


class DomainQemu(Qemu):
    """ras.qemu.Qemu for the QEMU of a domain."""

    # Everything is made here that the base class would make for a process
    # that it starts itself.
    # pylint: disable-next=super-init-not-called
    def __init__(self, host: Host, sockets: Path, logs: Path) -> None:
        self.host = host
        self.name = logs.name
        self.events: List[Dict[str, Any]] = []
        self.exchange = []
        self.logs = logs
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        self._qmp_log = open(logs / 'qmp.log', 'w', encoding='utf-8')
        self.console, self.agent = (
            self._stream(name, sockets / name) for name in
            ('console', 'agent'))
        self._vm = _Process(host)

    def _stream(self, name: str, socket: Path) -> LineStream:
        # Another one may have been here, of a process that still runs.
        socket.unlink(missing_ok=True)
        return LineStream(name, socket, self.logs / f'{name}.log')

    def accept(self) -> None:
        """Take the connections that the QEMU makes when it starts."""
        for stream in (self.console, self.agent):
            stream.accept(60 * environment.time_factor())

    def take_over(self, before: 'Qemu') -> None:
        """The guest has moved here: its past has happened here, too."""
        assert isinstance(before, DomainQemu)
        before.pump()
        self.events = before.events
        if before.host is self.host:
            self._vm.seen = before._vm.seen
        for mine, other in ((self.console, before.console),
                            (self.agent, before.agent)):
            other.close()
            mine.take_over(other)
        before._qmp_log.close()

    def output(self) -> List[str]:
        """What QEMU has written, without its command line."""
        return [line for line in self.host.qemu_log(NAME).splitlines()
                if line.startswith('20')]

    def close(self) -> None:
        """End it, and what listens to it."""
        if self._qmp_log.closed:
            return
        try:
            self._vm.shutdown()
        except Refused as exc:
            self._note(f'shutdown: {exc}')
        finally:
            self.console.close()
            self.agent.close()
            self._qmp_log.close()


class DomainGuest(Guest):
    """ras.guest.Guest in a domain."""

    def __init__(self, target: Target, release: str, name: str, host: Host,
                 logs: Path) -> None:
        self.release = release
        self.host = host
        self._logs = logs
        self._sockets = host.folder / 'sockets'
        self._sockets.mkdir(exist_ok=True)
        failing.build(self._sockets / 'fail.so')
        shutil.copy(environment.path(target.kernel_variable),
                    host.images / 'kernel')
        shutil.copy(initramfs.get(target), host.images / 'initrd')
        super().__init__(target, name)

    def _make_qemu(self, name: str, stock: bool,
                   more: Sequence[str]) -> DomainQemu:
        return DomainQemu(self.host, self._sockets, self._logs / name)

    def xml(self) -> Path:
        """A file with the domain's XML."""
        text = manual_xml(self.target, self.release).read_text('utf-8')
        file = self.host.folder / 'guest.xml'
        file.write_text(with_test_guest(
            text, self._sockets, f'{self.target.kernel_arguments} '
            # With its mitigations, Linux has copies of its vectors.
            'irqaffinity=0 panic=0 mitigations=off'), encoding='utf-8')
        return file

    def launch(self) -> 'DomainGuest':
        """Define and start the domain; do not wait for the guest."""
        self.host.virsh('define', '--validate', str(self.xml()))
        self.host.virsh('start', NAME)
        self.qemu.accept()
        self.host.wait_listening(NAME)
        return self

    def move(self, *command: str, host: Optional[Host] = None) -> None:
        """Let the guest go on in a new QEMU, which @command of virsh starts.

        The guest stands still there.  @host: where the new one is.
        """
        source, self.host = self.host, host or self.host
        new = self.successor(False, [])
        source.virsh(*command)
        new.accept()
        self.continue_in(new)

    def stay(self, *command: str, host: Host) -> str:
        """@command of virsh, which would move it to @host, must fail.

        Returns what virsh says then.
        """
        source, self.host = self.host, host
        new = self.successor(False, [])
        self.host = source
        try:
            return source.refuses(*command)
        finally:
            new.close()

    def memory(self) -> failing.Failing:
        """What makes memory of its present QEMU fail; offsets into it."""
        return failing.Failing(self._sockets / 'fail', RAM)

    def resume(self) -> None:
        """Let it run, after a move."""
        self.host.virsh('resume', NAME)
        self.host.wait_listening(NAME)

    def reset(self) -> None:
        """Boot it again, as an administrator would."""
        mark = self.agent.stream.mark()
        self.host.virsh('reset', NAME)
        if self.host.virsh('domstate', NAME) != 'running':
            self.host.virsh('resume', NAME)
        self.wait_boot(mark)
        self.damaged = False
