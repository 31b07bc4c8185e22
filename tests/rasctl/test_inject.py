# SPDX-License-Identifier: GPL-2.0-or-later
"""rasctl inject, unpoison and where: what QEMU and the agent are told."""

import base64
import json
import struct
from pathlib import Path
from typing import Any, Dict, List

import pytest

import fake
from conftest import Program

RECORD = base64.b64encode(bytes(range(200))).decode()
MEMORY = {'kind': 'memory', 'severity': 'recoverable', 'mode': 'poison'}
VA = 0xffff9d56b128


@pytest.mark.parametrize('words, arguments', [
    ('memory 0x7c418000', {**MEMORY, 'address': 0x7c418000}),
    ('memory --address 4K --length 2M', {**MEMORY, 'address': 4096,
                                         'length': 2 << 20}),
    ('memory 0 --mode consume --vcpu 1 --virtual-address 0xffff800000000000 '
     '--severity fatal --immediate',
     {'kind': 'memory', 'address': 0, 'mode': 'consume', 'vcpu': 1,
      'virtual-address': fake.HIGH, 'severity': 'fatal', 'immediate': True}),
    ('memory 18446744073709551615 --mode report --polled',
     {**MEMORY, 'address': 2 ** 64 - 1, 'mode': 'report', 'polled': True}),
    ('arm-processor --vcpu 1 --type cache --flags first,overflow --count 2 '
     '--error-information 0x91000f --physical-address 0x7c5c8000 '
     '--virtual-address 1 --synchronous',
     {'kind': 'arm-processor', 'vcpu': 1, 'type': 'cache', 'count': 2,
      'severity': 'recoverable', 'flags': ['first', 'overflow'],
      'error-information': 0x91000f, 'physical-address': 0x7c5c8000,
      'virtual-address': 1, 'synchronous': True}),
    ('machine-check --vcpu 1 --class slb --sub-type multi-hit '
     '--effective-address 0x3fffa4b4d000',
     {'kind': 'machine-check', 'vcpu': 1, 'class': 'slb',
      'sub-type': 'multi-hit', 'effective-address': 0x3fffa4b4d000}),
    ('machine-check --vcpu 0 --srr1 0x200000 --dsisr 0x8000 --fetch '
     '--disposition limited --logical-address 4096 --immediate',
     {'kind': 'machine-check', 'vcpu': 0, 'srr1': 0x200000, 'dsisr': 0x8000,
      'fetch': True, 'disposition': 'limited', 'logical-address': 4096,
      'immediate': True}),
    (f'cper --data {RECORD} --vcpu 2', {'kind': 'cper', 'data': RECORD,
                                        'vcpu': 2}),
    ('cper {record} --polled', {'kind': 'cper', 'data': RECORD,
                                'polled': True}),
    ('cper -', {'kind': 'cper', 'data': RECORD}),
    ('serror --vcpu 1 --aet uer --dfsc 0x11 --ea',
     {'kind': 'serror', 'vcpu': 1, 'aet': 'uer', 'dfsc': 0x11, 'ea': True}),
    ('serror --vcpu 1 --ids', {'kind': 'serror', 'vcpu': 1, 'ids': True}),
    ('serror --vcpu 1 --syndrome 0x1ffffff',
     {'kind': 'serror', 'vcpu': 1, 'syndrome': 0x1ffffff}),
])
def test_inject(rasctl: Program, path: Path, serve: Any, tmp_path: Path,
                words: str, arguments: Dict[str, Any]) -> None:
    """One line, one command; the number of the error is printed."""
    server = serve(fake.Qmp(path))
    record = tmp_path / 'record'
    record.write_bytes(bytes(range(200)))
    with record.open('rb') as stdin:
        done = rasctl('inject', *words.format(record=record).split(),
                      stdin=stdin)
    assert done.stdout == 'error 4\n'
    assert server.requests[-1]['execute'] == 'ras-inject'
    assert server.requests[-1]['arguments'] == arguments


def test_no_number(rasctl: Program, path: Path, serve: Any) -> None:
    """With poison there is no error yet."""
    serve(fake.Qmp(path, {'ras-inject': {}}))
    assert rasctl('inject', 'memory', '0').stdout == ''


def test_refused(rasctl: Program, path: Path, serve: Any) -> None:
    """QEMU's text is passed on."""
    text = "Parameter 'mode' does not accept value 'soup'"
    serve(fake.Qmp(path, {'ras-inject': fake.Refused(text)}))
    assert rasctl('inject', 'memory', '0', '--mode', 'soup',
                  status=4).stderr == f'rasctl: {text}\n'


def test_unpoison(rasctl: Program, path: Path, serve: Any) -> None:
    """A page, a range, all."""
    poisoned = [{'address': 0, 'length': 4096, 'severity': 'fatal'},
                {'address': 8192, 'length': 8192, 'severity': 'recoverable'}]
    server = serve(fake.Qmp(path, {'query-ras': fake.ras(poisoned=poisoned)}))
    rasctl('unpoison', '0x1000')
    rasctl('unpoison', '0x2000', '--length', '1M')
    rasctl('unpoison', '--all')
    assert [request['arguments'] for request in server.requests
            if request['execute'] == 'ras-unpoison'] == [
        {'address': 0x1000, 'length': 4096},
        {'address': 0x2000, 'length': 1 << 20},
        {'address': 0, 'length': 4096}, {'address': 8192, 'length': 8192}]


def guest(page: int = 4096, order: str = '<', size: str = 'Q',
          entry: int = 0x7c418 | 1 << 63) -> fake.Guest:
    """Files of a guest whose process 139 has one page."""
    auxv = [33, 0xffff12340000, 16, 0x7f, 6, page, 0, 0]
    if size == 'I':
        auxv = [number & 0xffffffff for number in auxv]

    def pagemap(offset: int, count: int) -> bytes:
        assert count == 8
        return struct.pack(f'{order}Q',
                           entry if offset == VA // page * 8 else 0)

    return fake.Guest({
        '/proc/self/auxv': struct.pack(f'{order}{len(auxv)}{size}', *auxv),
        '/proc/139/pagemap': pagemap})


@pytest.mark.parametrize('page, order, size', [
    (4096, '<', 'Q'), (65536, '<', 'Q'), (65536, '>', 'Q'), (4096, '<', 'I'),
    (16384, '<', 'Q'), (4096, '>', 'I')])
def test_where(by_socket: Program, by_libvirt: Program, path: Path,
               tmp_path: Path, serve: Any, page: int, order: str,
               size: str) -> None:
    """Of a process, by the guest agent, whatever the guest's kernel is."""
    there = guest(page, order, size)
    serve(fake.Qmp(path, there.answers()))
    agent = path.with_name('agent')
    serve(fake.Agent(agent, there))
    address = 0x7c418 * page + VA % page
    assert by_socket('-g', str(agent), 'where', '139',
                     hex(VA)).stdout == f'{address:#x}\n'
    assert by_libvirt('where', '--page', '139', hex(VA)).stdout == \
        f'{address & ~0xfff:#x}\n'
    assert json.loads(by_libvirt('where', '--json', '139', hex(VA)).stdout) \
        == {'address': address}
    assert not there.open


@pytest.mark.parametrize('entry, text', [
    (0, 'it has never touched the page'),
    (1 << 62 | 5, 'swapped out, or the guest has taken it out of use'),
    (1 << 63, 'with CAP_SYS_ADMIN')])
def test_nowhere(by_libvirt: Program, path: Path, serve: Any, entry: int,
                 text: str) -> None:
    """There is no memory, or the agent may not know."""
    serve(fake.Qmp(path, guest(entry=entry).answers()))
    assert text in by_libvirt('where', '139', hex(VA), status=4).stderr


def test_no_process(by_libvirt: Program, path: Path, serve: Any) -> None:
    """The agent's text is passed on."""
    serve(fake.Qmp(path, guest().answers()))
    assert '/proc/7/pagemap in the guest: failed to open file' in by_libvirt(
        'where', '7', hex(VA), status=4).stderr


@pytest.mark.parametrize('auxv', [b'', b'\x06' * 64, bytes(64)])
def test_no_page_size(by_libvirt: Program, path: Path, serve: Any,
                      auxv: bytes) -> None:
    """The guest is not Linux."""
    there = guest()
    there.files['/proc/self/auxv'] = auxv
    serve(fake.Qmp(path, there.answers()))
    assert 'is it Linux?' in by_libvirt('where', '139', hex(VA),
                                        status=4).stderr


@pytest.mark.parametrize('answer', [
    {}, {'buf-b64': 7}, [], 7, {'buf-b64': RECORD * 20}],
    ids=['empty', 'number', 'list', 'seven', 'long'])
def test_odd_agent(by_libvirt: Program, path: Path, serve: Any,
                   answer: Any) -> None:
    """What the agent has read makes no sense."""
    serve(fake.Qmp(path, {**guest().answers(), 'guest-file-read': answer}))
    assert 'makes no sense' in by_libvirt('where', '139', hex(VA),
                                          status=5).stderr


def test_no_agent(by_socket: Program, by_libvirt: Program, path: Path,
                  serve: Any) -> None:
    """What can be done instead; libvirt's own text; one that is silent."""
    serve(fake.Qmp(path))
    text = by_socket('where', '139', hex(VA), status=2).stderr
    assert f'rasctl -q {path} where --vcpu N {VA:#x}' in text
    assert 'gva2gpa' in text
    by_libvirt.environment['FAKE_LIBVIRT_NO_AGENT'] = '1'
    assert 'guest agent is not configured' in by_libvirt(
        'where', '139', hex(VA), status=4).stderr
    agent = path.with_name('agent')
    serve(fake.Raw(agent, lambda client: client.settimeout(60) or
                   [client.recv(65536), client.recv(65536)]))
    assert 'is qemu-ga running in the guest' in by_socket(
        '-g', str(agent), '-t', '1', 'where', '139', hex(VA), status=3).stderr


@pytest.mark.parametrize('running, commands', [
    (True, ['query-status', 'stop', 'human-monitor-command', 'cont']),
    (False, ['query-status', 'human-monitor-command'])])
@pytest.mark.parametrize('mapped', [True, False])
def test_where_vcpu(rasctl: Program, path: Path, serve: Any, running: bool,
                    commands: List[str], mapped: bool) -> None:
    """What a vCPU has mapped, with the VM stopped, and as it was after."""
    server = serve(fake.Qmp(path, {
        'query-status': {'status': 'x', 'running': running},
        'human-monitor-command': lambda arguments: {
            'gva2gpa 0xffff9d56b128': 'gpa: 0x7c418128\r\n' if mapped else
            'Unmapped\r\n'}[arguments['command-line']]}))
    done = rasctl('where', '--vcpu', '1', hex(VA), status=0 if mapped else 4)
    assert server.commands() == commands
    assert server.requests[-2 if running else -1]['arguments'][
        'cpu-index'] == 1
    if mapped:
        assert done.stdout == '0x7c418128\n'
    else:
        assert '(Unmapped)' in done.stderr
