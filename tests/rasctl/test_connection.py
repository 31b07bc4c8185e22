# SPDX-License-Identifier: GPL-2.0-or-later
"""What answers, or does not: messages, exit statuses, and no hang."""

import json
import socket
import time
from pathlib import Path
from typing import Any, Callable

import pytest

import fake
from conftest import Program

GREETING = json.dumps(fake.GREETING).encode() + b'\r\n'


def silent(client: socket.socket) -> None:
    """Says nothing; until the client leaves."""
    client.recv(1)


def test_no_socket(by_socket: Program) -> None:
    """There is nothing of that name."""
    text = by_socket('status', status=3).stderr
    assert 'No such file or directory; start QEMU with -qmp' in text


def test_nobody_listens(by_socket: Program, path: Path) -> None:
    """QEMU has ended and left its socket."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert 'that QEMU has ended' in by_socket('status', status=3).stderr


def test_long_name() -> None:
    """A name that no socket can have is not cut."""
    text = Program(['-q', '/' + 'x' * 200], {})('status', status=3).stderr
    assert 'is too long for the name of a socket' in text


def test_busy(by_socket: Program, path: Path, serve: Any) -> None:
    """QEMU has another client: no greeting."""
    serve(fake.Raw(path, silent))
    begun = time.monotonic()
    text = by_socket('-t', '0.5', 'status', status=3).stderr
    assert 'is busy: QEMU talks to one client at a time' in text
    assert time.monotonic() - begun < 20


def test_queue_full(by_socket: Program, path: Path) -> None:
    """So many wait already that connect() would wait."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(0)
        clients = []
        while True:
            client = socket.socket(socket.AF_UNIX)
            clients.append(client)
            client.setblocking(False)
            try:
                client.connect(str(path))
            except BlockingIOError:
                break
        assert 'others wait there' in by_socket('status', status=3).stderr
        for client in clients:
            client.close()


@pytest.mark.parametrize('said', [
    b'QEMU 10.0.0 monitor - type help\r\n(qemu) ', b'{"QMP": 1}\n', b'\n',
    b'{}\n', b'[]\n', b'{"QMP": {\n', b'\xff\xfe\n', b'7\n'])
def test_no_qmp(by_socket: Program, path: Path, serve: Any,
                said: bytes) -> None:
    """Another protocol, such as that of the human monitor."""
    serve(fake.Raw(path, lambda client: (client.sendall(said),
                                         silent(client))))
    assert 'is no QMP socket' in by_socket('status', status=3).stderr


@pytest.mark.parametrize('said', [b'', b'{"QMP": {}', GREETING])
def test_closed(by_socket: Program, path: Path, serve: Any,
                said: bytes) -> None:
    """The connection ends before, in or after the greeting."""
    serve(fake.Raw(path, lambda client: client.sendall(said)))
    text = by_socket('status', status=5 if said == GREETING else 3).stderr
    assert 'closed' in text or 'broke' in text


def after_greeting(*said: bytes) -> Callable[[socket.socket], None]:
    """Greets, is ready, and then answers so."""

    def talk(client: socket.socket) -> None:
        lines = client.makefile('rb')
        client.sendall(GREETING)
        request = json.loads(lines.readline())
        client.sendall(json.dumps({'return': {}, 'id': request['id']})
                       .encode() + b'\n')
        lines.readline()
        for piece in said:
            client.sendall(piece)
        client.settimeout(60)
        silent(client)

    return talk


@pytest.mark.parametrize('said, text', [
    (b'{}\n', 'an answer came to what was not asked'),
    (b'{"return": {}, "id": "rasctl-99"}\n', 'to what was not asked'),
    (b'{"return": {}, "id": "rasctl-2"}\n', 'is not what this rasctl knows'),
    (b'{"return": 5, "id": "rasctl-2"}\n', 'is not what this rasctl knows'),
    (b'{"id": "rasctl-2"}\n', 'neither a result nor an error'),
    (b'{"error": 7, "id": "rasctl-2"}\n', 'neither a result nor an error'),
    (b'{"error": {"desc": 7}, "id": "rasctl-2"}\n', 'neither a result'),
    (b'[1]\n', 'is no JSON object: [1]'),
    (b'\x1b[31mred\n', 'is no JSON object: ?[31mred'),
    (b'{"a": "\xff"}\n', 'is no JSON object'),
    (b'[' * 100000 + b'\n', 'is no JSON object'),
    (b'{"a":' * 100000 + b'\n', 'is no JSON object'),
    (b'x' * (17 << 20), 'a line of more than 16 MiB'),
    (b'', 'no answer in time'),
    (b'{"return": {}', 'no answer in time'),
], ids=lambda value: repr(value)[:40])
def test_nonsense(by_socket: Program, path: Path, serve: Any, said: bytes,
                  text: str) -> None:
    """What comes is not what QEMU sends."""
    serve(fake.Raw(path, after_greeting(said)))
    limit = '1' if 'in time' in text else '30'
    assert text in by_socket('-t', limit, 'status', status=5).stderr


def test_events_for_ever(by_socket: Program, path: Path, serve: Any) -> None:
    """Events do not keep it from seeing that no answer comes."""

    def talk(client: socket.socket) -> None:
        after = json.dumps(fake.step()).encode() + b'\n'
        client.sendall(GREETING)
        while True:
            client.sendall(after)

    serve(fake.Raw(path, talk))
    assert 'no answer in time' in by_socket('-t', '1', 'status',
                                            status=5).stderr


def test_slow_pieces(by_socket: Program, path: Path, serve: Any) -> None:
    """An answer comes byte by byte, with an event before it."""

    class Slow(fake.Qmp):
        """Sends one byte at a time."""

        @staticmethod
        def send(client: socket.socket, what: Any) -> None:
            for byte in json.dumps(what).encode() + b'\r\n':
                client.sendall(bytes([byte]))

    serve(Slow(path, before=[fake.step()]))
    by_socket('status')


def test_events_between(rasctl: Program, path: Path, serve: Any) -> None:
    """Events before an answer are not taken for it."""
    serve(fake.Qmp(path, before=[fake.step(), fake.event('RTC_CHANGE')]))
    rasctl('status')


def test_large_answer(rasctl: Program, path: Path, serve: Any) -> None:
    """A full queue: two thousand errors."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(queue=[fake.ERROR] * 2048)}))
    assert rasctl('status', status=1).stdout.count('in flight   ') == 2048


def test_no_guest_ras(rasctl: Program, path: Path, serve: Any) -> None:
    """QEMU's own text says what is right."""
    text = "Machine 'q35' has no guest RAS; 'virt' has it with ras=on"
    serve(fake.Qmp(path, {'query-ras': fake.Refused(text)}))
    assert rasctl('status', status=4).stderr == f'rasctl: {text}\n'
    assert rasctl('watch', status=4).stderr == f'rasctl: {text}\n'


@pytest.mark.parametrize('arguments', [
    ['status'], ['watch'], ['inject', 'memory', '0x1000'],
    ['unpoison', '0x1000']])
def test_other_qemu(rasctl: Program, path: Path, serve: Any,
                    arguments: Any) -> None:
    """QEMU is not qemu-ras."""
    server = serve(fake.Qmp(path))
    for name in ('query-ras', 'ras-inject', 'ras-unpoison'):
        del server.answers[name]
    text = rasctl(*arguments, status=4).stderr
    assert 'this QEMU has no guest RAS' in text
    assert 'qemu-ras-system-aarch64' in text


def test_cannot_write(by_socket: Program, path: Path, serve: Any) -> None:
    """What is shown is lost, and that is no success."""
    serve(fake.Qmp(path))
    with open('/dev/full', 'wb') as full:
        assert 'cannot write: No space left' in by_socket(
            'status', stdout=full, status=5).stderr


def test_no_domain(by_libvirt: Program, path: Path, serve: Any) -> None:
    """Domains that are not there, or do not run; no libvirtd; no library."""
    serve(fake.Qmp(path))
    by_libvirt.vm[1] = 'none'
    assert 'no such domain' in by_libvirt('status', status=3).stderr
    by_libvirt.vm[1] = 'off'
    assert '"virsh start off"' in by_libvirt('status', status=3).stderr
    assert 'cannot connect to libvirt: no libvirtd here' in by_libvirt(
        '-d', 'vm', 'status', vm=False, status=3).stderr
    by_libvirt.environment['LD_LIBRARY_PATH'] = '/nowhere'
    text = by_libvirt('status', status=3).stderr
    assert "cannot load libvirt's library" in text or 'libvirt' in text


@pytest.mark.parametrize('arguments, text', [
    ([], 'which command?'),
    (['sing'], "there is no command 'sing'"),
    (['status'], 'which VM? Give either -q SOCKET'),
    (['-q', 'a', '-d', 'b', 'status'], 'either -q SOCKET'),
    (['-d', 'a', '-g', 'b', 'status'], 'leave out -g'),
    (['-q', 'a', '-t', '0', 'status'], '--timeout is a number'),
    (['-q', 'a', '-t', 'x', 'status'], 'x'),
    (['-q', 'a', 'status', 'b'], 'takes options only'),
    (['-q', 'a', 'status', '--json', '--metrics'], 'either'),
    (['-q', 'a', 'status', '--', 'b'], '"--" is only for'),
    (['-q', 'a', 'status', '--nonsense'], 'nonsense'),
    (['-q', 'a', 'watch', 'b'], 'after "--"'),
    (['-q', 'a', 'watch', '--pause'], 'need --alarm'),
    (['-q', 'a', 'watch', '--', 'true'], 'need --alarm'),
    (['-q', 'a', 'watch', '--alarm', '1 in 1', '--'], 'no command'),
    (['-q', 'a', 'watch', '--for', '-1'], '--for'),
    (['-q', 'a', 'inject'], 'inject what? The kinds are memory, '),
    (['-q', 'a', 'inject', 'soup'], 'inject what?'),
    (['-q', 'a', 'inject', 'memory', '12z'], "'12z' is no number"),
    (['-q', 'a', 'inject', 'memory', '1', '2'], "'2' is one too many"),
    (['-q', 'a', 'inject', 'memory', '--address=1', '2'], 'one too many'),
    (['-q', 'a', 'inject', 'serror', '2'], 'one too many'),
    (['-q', 'a', 'inject', 'cper', '/nowhere'], 'cannot read /nowhere'),
    (['-q', 'a', 'inject', 'cper', '/dev/null'], 'is empty'),
    (['-q', 'a', 'inject', 'cper', '/dev/zero'], 'too long'),
    (['-q', 'a', 'unpoison'], 'either an address'),
    (['-q', 'a', 'unpoison', '--all', '0'], 'either an address'),
    (['-q', 'a', 'unpoison', '-1'], '1'),
    (['-q', 'a', 'where', '1'], 'where takes'),
    (['-q', 'a', 'where', 'x', '1'], "'x' is no number"),
])
def test_usage(arguments: Any, text: str) -> None:
    """What is wrong with a command line, before anything is done."""
    assert text in Program([], {})(*arguments, status=2).stderr


@pytest.mark.parametrize('number', [
    '', '0x', '-1', '0x10000000000000000', '18446744073709551616', '16E',
    '1KK', ' 1', '1 ', '17179869184G', '16777216T', '0xg', '+1'])
def test_bad_numbers(number: str) -> None:
    """No number is read as another one."""
    Program([], {})('-q', 'a', 'inject', 'memory', f'--address={number}',
                    status=2)


@pytest.mark.parametrize('arguments', [
    ['--help'], ['status', '--help'], ['watch', '--help'],
    ['inject', '--help'], ['inject', 'memory', '--help'],
    ['inject', 'cper', '--help'], ['unpoison', '--help'],
    ['where', '--help']])
def test_help(arguments: Any) -> None:
    """Help needs no VM."""
    assert 'Usage:' in Program([], {})(*arguments).stdout
