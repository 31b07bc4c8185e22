# SPDX-License-Identifier: GPL-2.0-or-later
"""Names: those of qapi/ras.json, all of them, and in completion and manual."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest

from conftest import RASCTL

TOP = Path(__file__).resolve().parents[2]
TOOL = TOP / 'tools' / 'rasctl'


def schema() -> Dict[str, Dict[str, Any]]:
    """qapi/ras.json, by name: comments away, it is Python."""
    text = re.sub(r'^#.*$', '', (TOP / 'qapi' / 'ras.json').read_text(),
                  flags=re.M)
    found = {}
    for piece in re.findall(r'^\{.*?\}$', re.sub(r'\n(?=[^{\n])', ' ', text),
                            re.M):
        piece = re.sub(r'\btrue\b', 'True', re.sub(r'\bfalse\b', 'False',
                                                   piece))
        entry = ast.literal_eval(piece)
        for kind in ('command', 'event', 'struct', 'enum', 'union'):
            if kind in entry:
                found[entry[kind]] = entry
    return found


SCHEMA = schema()


def members(struct: str) -> Dict[str, Any]:
    """Members of a struct, without the mark of optional ones."""
    return {name.lstrip('*'): kind
            for name, kind in SCHEMA[struct]['data'].items()}


def injection() -> Dict[str, Dict[str, List[str]]]:
    """Kinds, their members, and the words that these may have."""
    kinds = {}
    for kind, struct in SCHEMA['RasInject']['data'].items():
        kinds[kind] = {}
        for name, what in members(struct).items():
            what = what[0] if isinstance(what, list) else what
            kinds[kind][name] = SCHEMA.get(what, {}).get('data', [])
    return kinds


def in_source() -> Dict[str, Dict[str, List[str]]]:
    """The same by tools/rasctl/names.c."""
    text = (TOOL / 'names.c').read_text()
    severities = re.search(r'#define SEVERITIES ("[^"]*")', text)
    assert severities
    text = text.replace('SEVERITIES,', severities[1] + ',')
    text = re.sub(r'"\s*"', '', text)
    tables = {}
    for table, body in re.findall(
            r'static const Member (\w+)\[\] = \{(.*?)\{ NULL \}', text, re.S):
        tables[table.replace('_', '-')] = {
            name: words.strip('"').split('|') if words != 'NULL' else []
            for name, words in re.findall(
                r'\{ "([a-z0-9-]+)", MEMBER_\w+,\s*("[^"]*"|NULL)', body)}
    return tables


def test_injection() -> None:
    """All kinds, members and words are known, and no others."""
    assert in_source() == injection()


@pytest.mark.parametrize('prefix, struct', [
    ('RAS', 'RasInfo'), ('SOURCE', 'RasSource'), ('CHECK_STOP', 'RasCheckStop'),
    ('SERROR', 'RasSerrorInfo'), ('ERROR', 'RasErrorInfo'),
    ('RANGE', 'RasPoisonRange'), ('POISON_ACCESS', 'RAS_POISON_ACCESS')])
def test_members(prefix: str, struct: str) -> None:
    """Members that are used exist."""
    text = (TOOL / 'names.h').read_text()
    names = re.findall(rf'#define {prefix}_\w+\s+"([^"]*)"', text)
    names = [name for name in names if name != 'error']
    if prefix == 'RAS':
        assert set(names) == set(members(struct))
    assert names and set(names) <= set(members(struct))


def test_commands_and_events() -> None:
    """Commands and events of the schema that are used exist."""
    text = (TOOL / 'names.h').read_text().split('/* Other schemas')[0]
    names = re.findall(r'#define (?:QMP|EVENT)_\w+\s+"([^"]*)"', text)
    names.remove('RAS_')
    assert names and all(name in SCHEMA for name in names)
    assert members('RAS_ERROR') == {'error': 'RasErrorInfo'}
    for struct, value in (('RasErrorState', 'STATE_ACCEPTED'),
                          ('RasErrorClass', 'CLASS_MEMORY'),
                          ('RasAccess', 'ACCESS_UNKNOWN')):
        match = re.search(rf'#define {value}\s+"([^"]*)"', text)
        assert match and match[1] in SCHEMA[struct]['data']


def test_counters() -> None:
    """Every counter is shown."""
    text = (TOOL / 'names.c').read_text().split('const Counter')[1]
    assert set(re.findall(r'\{ "([a-z-]+)", "', text)) == \
        set(members('RasCounters'))


def complete(line: str) -> List[str]:
    """What bash offers at the end of a line."""
    script = f'''
source "{TOOL}/rasctl.bash"
COMP_WORDS=({line.replace('rasctl', f'"{RASCTL}"', 1)}{' ""' if line.endswith(' ') else ''})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_rasctl
printf '%s\\n' "${{COMPREPLY[@]}}"
'''
    done = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE,
                          text=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.split()


def test_completion() -> None:
    """All commands, kinds, options and words, and no others."""
    assert complete('rasctl ') == ['status', 'watch', 'inject', 'unpoison',
                                   'where']
    assert complete('rasctl -q a wa') == ['watch']
    kinds = injection()
    assert complete('rasctl -d vm inject ') == list(kinds)
    for kind, options in kinds.items():
        line = f'rasctl -q a inject {kind} '
        assert set(complete(line + '--')) == {
            f'--{name}' for name in options}
        for name, words in options.items():
            if words:
                assert complete(f'{line}--{name} ') == words
    assert complete('rasctl status --') == ['--json', '--metrics']
    assert '--alarm' in complete('rasctl watch --')


def test_manual() -> None:
    """The manual page has all commands, kinds and options."""
    page = (TOOL / 'rasctl.1').read_text()
    options = {name for members in injection().values() for name in members}
    for name in [*injection(), 'status', 'watch', 'unpoison', 'where']:
        assert re.search(rf'^\.It Cm (inject )?{name}\b', page, re.M), name
    for name in options | {'json', 'metrics', 'alarm', 'pause', 'once', 'for',
                           'all', 'page', 'qmp', 'domain', 'connect',
                           'agent', 'timeout'}:
        assert re.search(rf'Fl -{name}\b', page), name
