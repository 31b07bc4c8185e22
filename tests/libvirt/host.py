# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with libvirt: a Debian root in which libvirtd runs.

bubblewrap makes the system, for a user who is nobody special: each command is
started in namespaces of its own, over the root folder that scripts/libvirt-root
has made, which cannot be written to.  What can be is in the folder of the host.
libvirtd is that of a user, so the connection is qemu:///session.  When this
process ends, so does libvirtd, and with its namespace all that it has started.
"""

import json
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, \
    Tuple

from ras import environment

RELEASES = {'12': 'RAS_LIBVIRT_BOOKWORM', '13': 'RAS_LIBVIRT_TRIXIE'}
INSTALLED = {'12': 'RAS_LIBVIRT_INSTALLED_BOOKWORM',
             '13': 'RAS_LIBVIRT_INSTALLED_TRIXIE'}
# Seconds for a command, before they are stretched.
PATIENCE = 120
IMAGES = Path('/var/lib/libvirt/images')


class Refused(Exception):
    """A command failed; the text is what it said."""


class Event(NamedTuple):
    """An event of QEMU, or of libvirt."""

    name: str
    domain: str
    data: str
    # When virsh got it.
    stamp: str


def wait_for(done: Callable[[], Any], what: str, timeout: float = 60) -> Any:
    """Wait until done() is true, and return that."""
    end = time.monotonic() + timeout * environment.time_factor()
    while True:
        result = done()
        if result:
            return result
        assert time.monotonic() < end, f'{what}: not in {timeout:.0f} s'
        time.sleep(0.05)


class EventStream:
    """What "virsh event" or "virsh qemu-monitor-event" prints."""

    _FIRST = re.compile(r"^(\S+ \S+): event '?([\w-]+)'? for domain "
                        r"'([^']*)':?\s*(.*)$")

    def __init__(self, process: 'subprocess.Popen[str]') -> None:
        self._process = process
        self._lines: List[str] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._lock:
                self._lines.append(line.rstrip('\n'))

    def lines(self) -> List[str]:
        """All that it has printed so far."""
        with self._lock:
            return list(self._lines)

    def all(self) -> List[Event]:
        """The events so far.  Those of libvirt may have several lines."""
        events: List[Event] = []
        for line in self.lines():
            first = self._FIRST.match(line)
            if first:
                stamp, name, domain, data = first.groups()
                events.append(Event(name, domain, data, stamp))
            elif events and line.strip():
                events[-1] = events[-1]._replace(
                    data=f'{events[-1].data}\n{line.strip()}'.strip())
        return events

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout
        self._process.stdout.close()


class Host:
    """One libvirtd of a Debian release.

    Hosts that share @folder see the same files: the images of disks are at
    IMAGES in each of them, and all that is in @folder has its own path.
    """

    def __init__(self, release: str, folder: Path, name: str,
                 logs: Path, without: Sequence[str] = ()) -> None:
        """@without: programs that it does not have."""
        self.name = name
        self._without = without
        self.folder = folder
        self.images = folder / 'images'
        self._root = environment.path(RELEASES[release])
        self._installed = environment.path(INSTALLED[release])
        self._logs = logs
        self._own = folder / name
        self.config = self._own / 'home' / '.config'
        for part in (self.images, self.config / 'libvirt', self._own / 'run'):
            part.mkdir(parents=True, exist_ok=True)
        # Two hosts must not take each other for the same machine.
        uuid = f'{sum(name.encode()):08x}-0000-4000-8000-000000000000'
        self.configure('libvirtd', f'host_uuid = "{uuid}"')
        self._process: Optional['subprocess.Popen[bytes]'] = None
        self._streams: List[EventStream] = []
        self.said: List[str] = []

    def make_disk(self, name: str) -> None:
        """Make an empty disk of that name, without its ending."""
        self.run('qemu-img', 'create', '-q', '-f', 'qcow2',
                 str(IMAGES / f'{name}.qcow2'), '64M')

    def socket(self) -> Path:
        """Where others find its libvirtd."""
        return self._own / 'run/libvirt/libvirt-sock'

    def configure(self, name: str, text: str) -> None:
        """Write NAME.conf of libvirt; it is read when libvirtd starts."""
        file = self.config / 'libvirt' / f'{name}.conf'
        file.write_text(text + '\n', encoding='utf-8')

    def _covers(self) -> List[str]:
        """What is installed, over the files of the root that are for it."""
        arguments: List[str] = []
        for folder in ("usr/bin", "usr/share/qemu/firmware"):
            for file in sorted((self._installed / folder).iterdir()):
                arguments += ['--ro-bind', str(file),
                              f'/{folder}/{file.name}']
        for folder in ('usr/share/qemu-ras', 'usr/share/AAVMF'):
            arguments += ['--ro-bind', str(self._installed / folder),
                          f'/{folder}']
        for program in self._without:
            arguments += ['--ro-bind', '/dev/null', program]
        return arguments

    def _arguments(self, command: Tuple[str, ...]) -> List[str]:
        return ['bwrap', '--unshare-user', '--uid', '1000', '--gid', '1000',
                '--unshare-pid', '--unshare-ipc', '--unshare-uts',
                '--hostname', f'host-{self.name}', '--die-with-parent',
                '--ro-bind', str(self._root), '/', '--proc', '/proc',
                '--dev', '/dev', '--ro-bind', '/sys', '/sys',
                '--tmpfs', '/tmp', '--tmpfs', '/run', '--tmpfs', '/var',
                '--tmpfs', '/home',
                '--bind', str(self._own / 'home'), '/home/user',
                '--bind', str(self._own / 'run'), '/run/user/1000',
                '--bind', str(self.images), str(IMAGES),
                *self._covers(),
                '--bind', str(self.folder), str(self.folder),
                '--chdir', '/', '--clearenv', '--setenv', 'HOME', '/home/user',
                '--setenv', 'XDG_RUNTIME_DIR', '/run/user/1000',
                '--setenv', 'PATH', '/usr/sbin:/usr/bin:/sbin:/bin',
                '--', *command]

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command of the host; it has to end with @status."""
        done = subprocess.run(
            self._arguments(command), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False, timeout=PATIENCE * environment.time_factor())
        self.said.append(f'{self.name}$ {" ".join(command)}\n'
                         f'{done.stdout}{done.stderr}[{done.returncode}]')
        if done.returncode != status:
            raise Refused(f'{" ".join(command)}: status {done.returncode}: '
                          f'{done.stdout}{done.stderr}')
        return done.stdout if status in (0, 1) else done.stderr

    def spawn(self, *command: str) -> 'subprocess.Popen[str]':
        """Start a command of the host."""
        return subprocess.Popen(
            self._arguments(command), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True)

    def virsh(self, *arguments: str) -> str:
        """Run a command of virsh, which must succeed."""
        return self.run('virsh', '-q', '-c', 'qemu:///session',
                        *arguments).strip()

    def qemu_log(self, domain: str) -> str:
        """The log of QEMU, which begins with its command line."""
        return self.run('cat',
                        f'/home/user/.cache/libvirt/qemu/log/{domain}.log')

    def refuses(self, *arguments: str) -> str:
        """The same, but it must fail; what it says then."""
        try:
            said = self.virsh(*arguments)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f'{" ".join(arguments)} succeeded: {said}')

    def start(self) -> 'Host':
        """Start libvirtd, and listen to what it tells."""
        with open(self._logs / f'libvirtd-{self.name}.log', 'wb') as log:
            # Call it from a thread that lives on: bwrap ends with that.
            self._process = subprocess.Popen(
                self._arguments(('libvirtd',)), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT)

        def is_there() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, 'libvirtd has ended'
            return self.socket().exists()

        wait_for(is_there, 'libvirtd', PATIENCE)
        self.virsh('uri')
        self.events = self._listen('event', '--all')
        self.qemu_events = self._listen('qemu-monitor-event')
        return self

    def _listen(self, *command: str) -> EventStream:
        self._streams.append(EventStream(self.spawn(
            'virsh', '-q', '-c', 'qemu:///session', *command, '--loop',
            '--timestamp')))
        return self._streams[-1]

    def wait_listening(self, domain: str) -> None:
        """Wait until events of @domain, which runs, are sure to be heard."""
        def heard() -> bool:
            return any(event.name == 'RESUME'
                       for event in self.qemu_events.all()) and \
                any(event.name == 'lifecycle' and 'Resumed' in event.data
                    for event in self.events.all())

        def hear() -> bool:
            self.virsh('suspend', domain)
            self.virsh('resume', domain)
            time.sleep(0.1)
            return heard()

        if not heard():
            wait_for(hear, 'events of libvirt')

    def qmp(self, domain: str, command: str,
            arguments: Dict[str, Any]) -> Dict[str, Any]:
        """A QMP command by "virsh qemu-monitor-command"; what QEMU says."""
        return json.loads(self.virsh(
            'qemu-monitor-command', domain,
            json.dumps({'execute': command, 'arguments': arguments})))

    def wait_event(self, name: str, pattern: str, mark: int = 0) -> Event:
        """Wait for an event of libvirt, after the first @mark."""
        return wait_for(lambda: next(
            (event for event in self.events.all()[mark:]
             if event.name == name and re.search(pattern, event.data)),
            None), f'event {name} {pattern}')

    def close(self) -> None:
        """End libvirtd and its domains."""
        for stream in self._streams:
            stream.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
