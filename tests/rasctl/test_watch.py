# SPDX-License-Identifier: GPL-2.0-or-later
"""rasctl watch: lines, JSON, alarms."""

import json
from pathlib import Path
from typing import Any, List

import pytest

import fake
from conftest import Program

SHUTDOWN = fake.event('SHUTDOWN', {'guest': True, 'reason': 'guest-shutdown'})


def hit(page: int, seconds: int = 0, **members: Any) -> Any:
    """A page fails, so many seconds after the beginning."""
    return fake.step('accepted', 1700000000 + seconds,
                     address=page * 4096 + 0x128, **members)


def test_lines(rasctl: Program, path: Path, serve: Any) -> None:
    """A line each step; events of no interest are left out."""
    serve(fake.Qmp(path, events=[
        fake.step('accepted'), fake.event('RTC_CHANGE', {'offset': 1}),
        fake.step('notified', delivery='synchronous external abort'),
        fake.event('MEMORY_FAILURE', {
            'recipient': 'guest', 'action': 'inject',
            'flags': {'action-required': True, 'recursive': False}}),
        fake.event('MEMORY_FAILURE', {
            'recipient': 'guest', 'action': 'ignore',
            'flags': {'action-required': False, 'recursive': True}}),
        fake.event('RAS_POISON_ACCESS', {'address': 0x1000, 'write': True,
                                         'count': 3}),
        fake.event('RAS_POISON_ACCESS', {'write': False, 'count': 1}),
        fake.event('RAS_NEWS', {'what': 'a\x1bb'}), fake.event('RAS_NEW'),
        fake.event('GUEST_PANICKED', {'action': 'pause'}),
        fake.event('RESET', {'guest': False, 'reason': 'host-qmp'}),
        fake.event('STOP'), fake.event('RESUME'), SHUTDOWN], closes=True))
    done = rasctl('watch')
    assert done.stderr.startswith('rasctl: watching ')
    moment = '2023-11-14 22:13:20.250000 '
    lines = done.stdout.splitlines()
    assert all(line.startswith(moment) for line in lines)
    where = ('memory, recoverable, poison, load, vCPU 1, address 0x7c418128 '
             '(4096 bytes), virtual 0xffff800000000000')
    assert [line[len(moment):] for line in lines] == [
        f'error 3 accepted: {where}',
        f'error 3 notified: {where}; synchronous external abort',
        'memory failure: guest, inject, action required',
        'memory failure: guest, ignore, action optional, recursive',
        'poison at 0x1000: written, and not by an instruction (accesses: 3)',
        'poison: read, and not by an instruction (accesses: 1)',
        'RAS_NEWS: {"what": "a\\u001bb"}', 'RAS_NEW',
        'guest panicked: pause', 'VM reset: host-qmp', 'VM stopped',
        'VM runs', 'VM shuts down: guest-shutdown']


def test_json(rasctl: Program, path: Path, serve: Any) -> None:
    """Events as they came."""
    events = [fake.step('accepted'), fake.event('STOP'), SHUTDOWN]
    serve(fake.Qmp(path, events=events, closes=True))
    lines = rasctl('watch', '--json').stdout.splitlines()
    assert [json.loads(line) for line in lines] == events


def test_meanwhile(rasctl: Program, path: Path, serve: Any) -> None:
    """Events that come before the answer to a question are not lost."""
    events = [fake.step('accepted'), fake.event('STOP'), fake.event('RESUME')]
    serve(fake.Qmp(path, before=events, events=[SHUTDOWN], closes=True))
    lines = rasctl('watch', '--json').stdout.splitlines()
    assert [json.loads(line) for line in lines[-4:]] == [*events, SHUTDOWN]


@pytest.mark.parametrize('data', [
    None, {}, {'error': 7}, {'error': {}},
    {'error': {'id': 'x', 'state': 5, 'address': 'y', 'vcpu': None}}],
    ids=str)
def test_odd_events(rasctl: Program, path: Path, serve: Any,
                    data: Any) -> None:
    """Members of other types are as if they were not there."""
    serve(fake.Qmp(path, events=[fake.event('RAS_ERROR', data), SHUTDOWN],
                   closes=True))
    assert len(rasctl('watch', '--alarm', '1 page in 1s')
               .stdout.splitlines()) == 2


def test_broken(by_socket: Program, path: Path, serve: Any) -> None:
    """The connection ends, and QEMU has not said that it would."""
    serve(fake.Qmp(path, events=[fake.event('STOP')], closes=True))
    assert 'QEMU has closed the connection' in by_socket('watch',
                                                         status=5).stderr


def test_for(rasctl: Program, path: Path, serve: Any) -> None:
    """It ends by itself."""
    serve(fake.Qmp(path, events=[fake.event('STOP')]))
    assert 'VM stopped' in rasctl('watch', '--for', '1.5').stdout


@pytest.mark.parametrize('events, rule, alarms', [
    ([hit(1), hit(2), hit(3)], '3 pages in 10s', ['0x1000, 0x2000, 0x3000']),
    ([hit(1), hit(2), hit(3)], '4 pages in 10s', []),
    ([hit(1), hit(1), hit(1)], '2 pages in 10s', []),
    ([hit(1), hit(2, 11)], '2 pages in 10s', []),
    ([hit(1), hit(2, 10)], '2 pages in 10s', ['0x1000, 0x2000']),
    ([hit(1), hit(2, 50), hit(1, 55)], '2 in 10', ['0x2000, 0x1000']),
    ([hit(1), hit(1, 8), hit(2, 15)], '2 in 10s', ['0x1000, 0x2000']),
    ([hit(1), hit(2, 60)], '2 pages in 1 min', ['0x1000, 0x2000']),
    ([hit(1), hit(2, 3600)], '2 pages in 1 hour', ['0x1000, 0x2000']),
    ([hit(1), hit(2, 86400)], '2 pages in 1 day', ['0x1000, 0x2000']),
    ([hit(1), hit(2, 86401)], '2 pages in 1d', []),
    ([hit(1), hit(2), hit(3), hit(4)], '2 pages in 1h',
     ['0x1000, 0x2000', '0x3000, 0x4000']),
    ([hit(1, length=0x3000)], '3 pages in 1m', ['0x1000, 0x2000, 0x3000']),
    ([hit(1, length=2 ** 63)], '2 pages in 1d', ['0x1000, 0x2000']),
    ([hit(1, length=0)], '1 page in 1s', ['0x1000']),
    ([hit(1, severity='corrected')], '1 page in 1s', []),
    ([hit(1, **{'class': 'cache'})], '1 page in 1s', []),
    ([fake.step('queued')], '1 page in 1s', []),
], ids=lambda value: value if isinstance(value, str) else '')
def test_alarm(rasctl: Program, path: Path, serve: Any, events: List[Any],
               rule: str, alarms: List[str]) -> None:
    """Different pages within the time count."""
    serve(fake.Qmp(path, events=[*events, SHUTDOWN], closes=True))
    lines = rasctl('watch', '--alarm', rule,
                   status=bool(alarms)).stdout.splitlines()
    assert [line.split(' s: ')[1] for line in lines if ' alarm: ' in line] \
        == alarms


@pytest.mark.parametrize('rule', [
    '', '3', '0 pages in 1s', '3 pages in 0s', '3 pages in', '3 in 1x',
    '1000001 pages in 1s', '-1 pages in 1s', '99999999 pages in 1s',
    '3 pages in 1.5s'])
def test_wrong_rule(rule: str) -> None:
    """What a rule looks like is said."""
    text = Program(['-q', 'a'], {})('watch', '--alarm', rule, status=2).stderr
    assert "is not like '10 pages in 1h'" in text


def test_alarm_json(rasctl: Program, path: Path, serve: Any) -> None:
    """An alarm is an object, and comes after the event that led to it."""
    serve(fake.Qmp(path, events=[hit(1), hit(2)]))
    lines = rasctl('watch', '--json', '--once', '--alarm', '2 pages in 1m',
                   status=1).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        hit(1), hit(2), {'alarm': {'pages': 2, 'seconds': 60,
                                   'addresses': [0x1000, 0x2000]}}]


def test_pause(rasctl: Program, path: Path, serve: Any) -> None:
    """The VM is paused; watching goes on without --once."""
    server = serve(fake.Qmp(path, events=[hit(1), hit(2), SHUTDOWN]))
    rasctl('watch', '--pause', '--for', '1.5', '--alarm', '1 page in 1s',
           status=1)
    assert server.commands() == ['query-ras', 'stop', 'stop']


def test_pause_refused(rasctl: Program, path: Path, serve: Any) -> None:
    """An alarm that could do nothing is an error."""
    serve(fake.Qmp(path, {'stop': fake.Refused('busy')}, events=[hit(1)]))
    assert 'cannot pause the VM: busy' in rasctl(
        'watch', '--pause', '--alarm', '1 page in 1s', status=4).stderr


def test_command(rasctl: Program, path: Path, serve: Any,
                 tmp_path: Path) -> None:
    """A command is run, with its own options, and told what happened."""
    serve(fake.Qmp(path, events=[hit(1), hit(2)]))
    result = tmp_path / 'result'
    rasctl('watch', '--once', '--alarm', '2 pages in 1m', '--', 'sh', '-c',
           'echo "$1 $RASCTL_VM $RASCTL_PAGES $RASCTL_SECONDS '
           '$RASCTL_ADDRESSES" >"$2.new"; mv "$2.new" "$2"', '-x', '--json',
           str(result), status=1)
    fake.wait_for(result.exists)
    name = 'vm' if rasctl.vm[0] == '-d' else str(path)
    assert result.read_text() == f'--json {name} 2 60 0x1000 0x2000\n'


def test_no_command(rasctl: Program, path: Path, serve: Any) -> None:
    """A command that cannot be run does not end the watch."""
    serve(fake.Qmp(path, events=[hit(1), SHUTDOWN], closes=True))
    done = rasctl('watch', '--alarm', '1 page in 1s', '--', '/nowhere',
                  status=1)
    assert 'the command of the alarm: ' in done.stderr
    assert 'VM shuts down' in done.stdout
