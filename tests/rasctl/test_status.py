# SPDX-License-Identifier: GPL-2.0-or-later
"""rasctl status: text, JSON and metrics."""

import json
import re
from pathlib import Path
from typing import Any, Dict

import pytest

import fake
from conftest import Program

BAD = {'poisoned': [{'address': 0x5ffff000, 'length': 0x3000,
                     'severity': 'recoverable'},
                    {'address': 0x7fff0000, 'length': 0x1000,
                     'severity': 'fatal'}],
       'host_poisoned': [{'address': 0x100000000, 'length': 0x200000},
                         {'address': 0x200000000, 'length': 0x1000}]}


def test_well(rasctl: Program, path: Path, serve: Any) -> None:
    """Nothing is wrong: status 0, and no questions about memory."""
    server = serve(fake.Qmp(path))
    text = rasctl('status').stdout
    assert text.startswith('VM          running\n')
    assert text.endswith(
        'errors      accepted 3, in-flight 1, acknowledged 2, delivered 0, '
        'reclaimed 0, discarded 0,\n'
        '            refused 1, recorded 2, notified 2, '
        'poison-other-accesses 7, events-dropped 0\n'
        'bad pages   none\n')
    assert server.commands() == ['query-ras', 'query-status', 'query-name']


@pytest.mark.parametrize('what, line', [
    ({'synchronous': True, 'ready': True}, 'synchronous, ready'),
    ({'synchronous': True, 'ready': False}, 'synchronous, not ready'),
    ({'synchronous': False, 'ready': True, 'outstanding': 7},
     'asynchronous, ready, error 7 not acknowledged yet'),
], ids=['ready', 'not-ready', 'outstanding'])
def test_source(by_socket: Program, path: Path, serve: Any,
                what: Dict[str, Any], line: str) -> None:
    """What is said of a source of errors."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(
        sources=[{'name': 'SEA', **what}])}))
    assert f'source      SEA: {line}\n' in by_socket('status').stdout
    assert f'source="SEA"}} {int(what["ready"])}\n' in by_socket(
        'status', '--metrics').stdout


@pytest.mark.parametrize('what, line', [
    ({'queue': [fake.ERROR]},
     'in flight   error 3 queued: memory, recoverable, poison, load, vCPU 1, '
     'address 0x7c418128 (4096 bytes), virtual 0xffff800000000000\n'),
    ({'parked': [0, 3]}, 'parked      vCPU 0 3\n'),
    ({'serrors': [{'vcpu': 1, 'syndrome': 0x1000c11}, {'vcpu': 2}]},
     'SError      pending on vCPU 1, syndrome 0x1000c11\n'
     'SError      pending on vCPU 2\n'),
    ({'check_stop': {'id': 7, 'reason': 'its stack \x1b is gone'}},
     'check-stop  since error 7: its stack ? is gone\n'),
], ids=['queue', 'parked', 'serrors', 'check-stop'])
def test_not_well(rasctl: Program, path: Path, serve: Any,
                  what: Dict[str, Any], line: str) -> None:
    """Something is: status 1, also as JSON, but not as metrics."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(**what)}))
    assert line in rasctl('status', status=1).stdout
    assert json.loads(rasctl('status', '--json', status=1).stdout)[
        'well'] is False
    rasctl('status', '--metrics')


def test_table(rasctl: Program, path: Path, serve: Any) -> None:
    """Ranges are cut where RAM block or node changes, and added up."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(**BAD)}))
    text = rasctl('status', status=1).stdout
    rows = [line.split() for line in text.split('\n\n')[1].splitlines()[1:]]
    assert rows == [['m0', '0', '1', '0', '4'], ['m1', '1', '3', '0', '12'],
                    ['dimm', '1', '0', '512', '2048'],
                    ['-', '-', '0', '1', '4']]
    rows = [re.split(r'\s{2,}', line) for line in
            text.split('\n\n')[2].splitlines()[1:]]
    assert rows == [
        ['0x5ffff000-0x5fffffff', '1', 'm0', '0', 'poisoned, recoverable'],
        ['0x60000000-0x60001fff', '2', 'm1', '1', 'poisoned, recoverable'],
        ['0x7fff0000-0x7fff0fff', '1', 'm1', '1', 'poisoned, fatal'],
        ['0x100000000-0x1001fffff', '512', 'dimm', '1', 'failed on host'],
        ['0x200000000-0x200000fff', '1', '-', '-', 'failed on host']]


def test_json(rasctl: Program, path: Path, serve: Any) -> None:
    """One line; numbers above 2^63 as they are."""
    info = fake.ras(queue=[fake.ERROR], **BAD)
    serve(fake.Qmp(path, {'query-ras': info}))
    text = rasctl('status', '--json', status=1).stdout
    assert text.count('\n') == 1
    shown = json.loads(text)
    assert shown['ras'] == info
    # In the same order, for people.
    assert list(shown['ras']) == list(info)
    assert shown['state'] == 'running'
    assert shown['bad-memory'][0] == {
        'address': 0x5ffff000, 'length': 4096, 'pages': 1,
        'what': 'poisoned', 'severity': 'recoverable', 'block': 'm0',
        'node': 0}
    assert shown['bad-memory'][-1] == {
        'address': 0x200000000, 'length': 4096, 'pages': 1, 'what': 'host'}


@pytest.mark.parametrize('number', [
    0, 2 ** 31, 2 ** 32 - 1, 2 ** 63 - 1, 2 ** 63, 2 ** 63 + 1, 2 ** 64 - 1])
def test_numbers(rasctl: Program, path: Path, serve: Any,
                 number: int) -> None:
    """All that 64 bits hold, and digits in a name."""
    info = fake.ras(check_stop={
        'id': number, 'reason': f'-{number}, "[{number}'})
    serve(fake.Qmp(path, {'query-ras': info}))
    assert json.loads(rasctl('status', '--json', status=1).stdout)[
        'ras'] == info
    assert f'since error {number}: -{number}, "[' in rasctl(
        'status', status=1).stdout


METRIC = re.compile(r'qemu_ras_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\}'
                    r' \d+')


def test_metrics(rasctl: Program, path: Path, serve: Any) -> None:
    """The text format of Prometheus: each metric has one head."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(
        check_stop={'id': 1, 'reason': 'so'}, **BAD)}))
    lines = rasctl('status', '--metrics').stdout.splitlines()
    seen = set()
    current = ''
    for line in lines:
        if line.startswith('# HELP '):
            current = line.split()[2]
            assert current not in seen
            seen.add(current)
        elif line.startswith('# TYPE '):
            assert line.split()[2] == current
            assert line.split()[3] == ('counter' if current.endswith('_total')
                                       else 'gauge')
        else:
            assert METRIC.fullmatch(line) and line.startswith(current + '{')
    name = 'vm' if rasctl.vm[0] == '-d' else r'guest \"1\"\\'
    assert f'qemu_ras_accepted_total{{vm="{name}"}} 3' in lines
    assert f'qemu_ras_in_flight{{vm="{name}"}} 1' in lines
    assert f'qemu_ras_check_stop{{vm="{name}"}} 1' in lines
    assert (f'qemu_ras_source_ready{{vm="{name}",'
            'source="GHESv2 source 0, SEA"} 1') in lines
    assert (f'qemu_ras_bad_pages{{vm="{name}",block="dimm",node="1",'
            'cause="host"} 512') in lines


def test_no_name(by_socket: Program, path: Path, serve: Any) -> None:
    """A VM without -name is called as its socket."""
    serve(fake.Qmp(path, {'query-name': {}}))
    assert json.loads(by_socket('status', '--json').stdout)['vm'] == str(path)
    assert f'qemu_ras_check_stop{{vm="{path}"}} 0\n' in by_socket(
        'status', '--metrics').stdout


@pytest.mark.parametrize('broken', [
    {'human-monitor-command': fake.Refused('no HMP')},
    {'human-monitor-command': 'nonsense (prio 0, ram): m0'},
    {'human-monitor-command': 7},
    {'query-memory-devices': fake.Refused('no')},
    {'query-memory-devices': [7, {}, {'data': {'addr': -1, 'size': 9}}]},
    {'query-memdev': {}}], ids=lambda value: str(value)[:40])
def test_map_unknown(by_socket: Program, path: Path, serve: Any,
                     broken: Dict[str, Any]) -> None:
    """Without the map of memory, bad pages are shown all the same."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(**BAD), **broken}))
    shown = json.loads(by_socket('status', '--json', status=1).stdout)
    assert sum(entry['pages'] for entry in shown['bad-memory']) == \
        3 + 1 + 512 + 1


def test_nodes_unknown(by_socket: Program, path: Path, serve: Any) -> None:
    """Nodes that are not as large as the memory are not guessed from it."""
    hmp = {**fake.HMP, 'info numa': fake.NUMA.replace('512 MB', '256 MB')}
    serve(fake.Qmp(path, {
        'query-ras': fake.ras(**BAD),
        'human-monitor-command': lambda arguments:
            hmp[arguments['command-line']]}))
    shown = json.loads(by_socket('status', '--json', status=1).stdout)
    # Of a module it is known.
    assert [(entry.get('block'), entry.get('node'))
            for entry in shown['bad-memory']] == [
        ('m0', None), ('m1', None), ('m1', None), ('dimm', 1), (None, None)]


def test_begins_in_a_hole(by_socket: Program, path: Path, serve: Any) -> None:
    """A range is cut as well where a RAM block begins."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(host_poisoned=[
        {'address': 0x3ffff000, 'length': 0x3000}])}))
    shown = json.loads(by_socket('status', '--json', status=1).stdout)
    assert [(entry['address'], entry['length'], entry.get('block'))
            for entry in shown['bad-memory']] == [
        (0x3ffff000, 0x1000, None), (0x40000000, 0x2000, 'm0')]


@pytest.mark.parametrize('ranges', [
    [{}], [{'address': 1}], [{'address': 2 ** 64 - 4096, 'length': 8192}],
    [7, None, [], 'x'], [{'address': 'a', 'length': 'b'}]],
    ids=lambda value: str(value)[:40])
def test_odd_ranges(by_socket: Program, path: Path, serve: Any,
                    ranges: Any) -> None:
    """What is no range is none; it is still a sign of something bad."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(poisoned=ranges)}))
    assert 'bad pages   none' in by_socket('status', status=1).stdout


@pytest.mark.parametrize('range_', [
    {'address': 2 ** 64 - 4096, 'length': 4096},
    {'address': 0, 'length': 2 ** 63},
    {'address': 2 ** 40, 'length': 4097}], ids=['end', 'all', 'part'])
def test_ends_of_address_space(by_socket: Program, path: Path, serve: Any,
                           range_: Any) -> None:
    """Ranges up to the last address come to an end; parts of pages count."""
    serve(fake.Qmp(path, {'query-ras': fake.ras(host_poisoned=[range_])}))
    shown = json.loads(by_socket('status', '--json', status=1).stdout)
    assert sum(entry['length'] for entry in shown['bad-memory']) == \
        range_['length']
    assert shown['bad-memory'][-1]['pages'] == \
        -(-shown['bad-memory'][-1]['length'] // 4096)


@pytest.mark.parametrize('missing', ['queue', 'counters', 'poisoned'])
def test_other_version(by_socket: Program, path: Path, serve: Any,
                       missing: str) -> None:
    """Members that rasctl knows are not there: it says so."""
    info = fake.ras()
    del info[missing]
    serve(fake.Qmp(path, {'query-ras': info}))
    assert 'is it of the same version as QEMU?' in by_socket(
        'status', status=5).stderr
