# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP server, and a guest agent, that do what a test wants."""

import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

GREETING = {'QMP': {'version': {'qemu': {'major': 10, 'minor': 0,
                                         'micro': 0}},
                    'capabilities': []}}

COUNTERS = {'accepted': 3, 'refused': 1, 'in-flight': 1, 'recorded': 2,
            'notified': 2, 'acknowledged': 2, 'delivered': 0, 'reclaimed': 0,
            'discarded': 0, 'poison-other-accesses': 7, 'events-dropped': 0}
SOURCE = {'name': 'GHESv2 source 0, SEA', 'synchronous': True, 'ready': True}
# 0xffff800000000000: more than a signed number holds.
HIGH = 18446603336221196288
ERROR = {'id': 3, 'state': 'queued', 'class': 'memory',
         'severity': 'recoverable', 'origin': 'poison', 'synchronous': True,
         'access': 'load', 'vcpu': 1, 'address': 0x7c418128, 'length': 4096,
         'virtual-address': HIGH}

# Two nodes of 512 MiB, and a module of 256 MiB in node 1.
MTREE = '''FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-000000000000ffff (prio 0, i/o): io

FlatView #1
 AS "memory", root: system
 AS "cpu-memory-0", root: system
 Root memory region: system
  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0
  0000000009000000-0000000009000fff (prio 0, i/o): pl011
  0000000040000000-000000005fffffff (prio 0, ram): m0
  0000000060000000-000000007fffffff (prio 0, ram): m1 KVM
  0000000100000000-000000010fffffff (prio 0, ram): dimm @0000000000001000
  0000004000000000-0000004000000fff (prio 0, ram): vga.vram

'''
NUMA = '''2 nodes
node 0 cpus: 0
node 0 size: 512 MB
node 0 plugged: 0 MB
node 1 cpus: 1
node 1 size: 768 MB
node 1 plugged: 256 MB
'''
HMP = {'info mtree -f': MTREE, 'info numa': NUMA}


def ras(**members: Any) -> Dict[str, Any]:
    """What query-ras returns; members with _ for -."""
    info: Dict[str, Any] = {
        'sources': [SOURCE], 'queue': [], 'parked': [], 'serrors': [],
        'poisoned': [], 'host-poisoned': [], 'counters': COUNTERS}
    info.update({name.replace('_', '-'): value
                 for name, value in members.items()})
    return info


def event(name: str, data: Optional[Dict[str, Any]] = None,
          seconds: int = 1700000000) -> Dict[str, Any]:
    """An event as QEMU sends it."""
    result = {'timestamp': {'seconds': seconds, 'microseconds': 250000},
              'event': name}
    if data is not None:
        result['data'] = data
    return result


def step(state: str = 'accepted', seconds: int = 1700000000,
         **members: Any) -> Dict[str, Any]:
    """Event RAS_ERROR; members with _ for -."""
    changed = {name.replace('_', '-'): value
               for name, value in members.items()}
    return event('RAS_ERROR', {'error': {**ERROR, 'state': state, **changed}},
                 seconds)


class Refused(Exception):
    """The command fails: class and description."""

    def __init__(self, text: str, kind: str = 'GenericError') -> None:
        super().__init__(text)
        self.kind = kind


class Server:
    """One client after another at a Unix socket, each served by a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: List[Dict[str, Any]] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.failure: Optional[BaseException] = None

    def start(self) -> 'Server':
        """Begin to serve."""
        self._thread.start()
        return self

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                try:
                    self.client(client)
                except OSError:
                    pass    # it has left
                except BaseException as exc:  # pylint: disable=broad-except
                    self.failure = exc

    def client(self, client: socket.socket) -> None:
        """Serve a client."""
        raise NotImplementedError

    def close(self) -> None:
        """No more clients."""
        self._socket.close()

    def commands(self) -> List[str]:
        """Names of the commands that came, without the first."""
        return [request['execute'] for request in self.requests
                if request['execute'] != 'qmp_capabilities']


class Qmp(Server):
    """QEMU: answers commands, sends events.

    @answers has a result for each command, or a function of its arguments.
    @events are sent when the client has asked for the state (query-ras),
    @before when a command comes, before its answer.  Then the connection is
    closed, if @closes is set.
    """

    def __init__(self, path: Path, answers: Optional[Dict[str, Any]] = None,
                 events: Optional[List[Dict[str, Any]]] = None,
                 before: Optional[List[Dict[str, Any]]] = None,
                 closes: bool = False) -> None:
        super().__init__(path)
        self.answers: Dict[str, Any] = {
            'qmp_capabilities': {},
            'query-ras': ras(),
            'query-status': {'status': 'running', 'running': True},
            'query-name': {'name': 'guest "1"\\'},
            'query-memory-devices': [{'type': 'dimm', 'data': {
                'addr': 0x100000000, 'size': 0x10000000, 'node': 1,
                'slot': 0, 'memdev': '/objects/dimm', 'hotplugged': False,
                'hotpluggable': True}}],
            'query-memdev': [{'id': 'm0', 'size': 0x20000000},
                             {'id': 'm1', 'size': 0x20000000},
                             {'id': 'dimm', 'size': 0x10000000}],
            'human-monitor-command': lambda arguments:
                HMP[arguments['command-line']],
            'ras-inject': {'id': 4},
            'ras-unpoison': {}, 'stop': {}, 'cont': {}}
        self.answers.update(answers or {})
        self.events = events or []
        self.before = before or []
        self.closes = closes

    @staticmethod
    def send(client: socket.socket, what: Any) -> None:
        """One object, as a line."""
        client.sendall(json.dumps(what).encode() + b'\r\n')

    def client(self, client: socket.socket) -> None:
        self.send(client, GREETING)
        for line in client.makefile():
            request = json.loads(line)
            self.requests.append(request)
            for one in self.before:
                self.send(client, one)
            self.send(client, {**self.answer(request),
                               'id': request.get('id')})
            if request['execute'] == 'query-ras':
                for one in self.events:
                    self.send(client, one)
                if self.closes:
                    return

    def answer(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """The answer to a request."""
        name = request['execute']
        if name not in self.answers:
            return {'error': {'class': 'CommandNotFound', 'desc':
                              f'The command {name} has not been found'}}
        answer = self.answers[name]
        try:
            if callable(answer):
                answer = answer(request.get('arguments', {}))
            if isinstance(answer, Exception):
                raise answer
        except Refused as exc:
            return {'error': {'class': exc.kind, 'desc': str(exc)}}
        return {'return': answer}


class Raw(Server):
    """Sends bytes, whatever the client says."""

    def __init__(self, path: Path,
                 talk: Callable[[socket.socket], None]) -> None:
        super().__init__(path)
        self._talk = talk

    def client(self, client: socket.socket) -> None:
        self._talk(client)


class Guest:
    """Files of a guest with an agent: what its commands return."""

    def __init__(self, files: Dict[str, Any]) -> None:
        self.files = files
        self.open: Dict[int, List[Any]] = {}
        self.last = 1000

    def open_file(self, arguments: Dict[str, Any]) -> int:
        """guest-file-open"""
        path = arguments['path']
        if path not in self.files:
            raise Refused(f"failed to open file '{path}': No such file")
        self.last += 1
        self.open[self.last] = [self.files[path], 0]
        return self.last

    def seek(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """guest-file-seek"""
        assert arguments['whence'] == 'set'
        self.open[arguments['handle']][1] = arguments['offset']
        return {'position': arguments['offset'], 'eof': False}

    def read(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """guest-file-read"""
        import base64
        content, offset = self.open[arguments['handle']]
        count = arguments['count']
        data = content(offset, count) if callable(content) else \
            content[offset:offset + count]
        return {'count': len(data), 'buf-b64': base64.b64encode(data).decode(),
                'eof': not data}

    def close_file(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """guest-file-close"""
        del self.open[arguments['handle']]
        return {}

    def answers(self) -> Dict[str, Any]:
        """For Qmp."""
        return {'guest-file-open': self.open_file,
                'guest-file-seek': self.seek,
                'guest-file-read': self.read,
                'guest-file-close': self.close_file,
                'guest-sync-delimited': lambda arguments: arguments['id']}


class Agent(Qmp):
    """qemu-ga: no greeting, and what an earlier client has left."""

    def __init__(self, path: Path, guest: Guest) -> None:
        super().__init__(path, guest.answers())

    def client(self, client: socket.socket) -> None:
        client.sendall(b'{"return": {}}\n\xff{"retu')
        for line in client.makefile('rb'):
            request = json.loads(line.rsplit(b'\xff', 1)[-1])
            self.requests.append(request)
            if request['execute'] == 'guest-sync-delimited':
                client.sendall(b'\xff')
            self.send(client, self.answer(request))


def wait_for(done: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until done() is true, and return it."""
    end = time.monotonic() + seconds * float(
        os.environ.get('RAS_TIME_FACTOR', '1'))
    while True:
        result = done()
        if result:
            return result
        assert time.monotonic() < end, 'not in time'
        time.sleep(0.02)
