# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes of docs/recipes.rst, run as they are printed there.

A recipe is a section with a literal block.  Of its lines,

    $ ...       is a command of the host's shell (and lines "> ..." behind it),
    (qemu) ...  a command of the monitor,
    guest# ...  a command of the guest's shell,
    -- ...      what happens in the guest, or to it: one of the ACTIONS,

and all others are what the guest prints, in this order; numbers may differ.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import pytest

from . import cases, environment, rasctl
from .guest import Exit, Guest
from .oracles import SIGSEGV, oracle_for
from .targets import SIGBUS

PAGE_OF_MANUAL = Path(__file__).resolve().parents[3] / 'docs' / 'recipes.rst'
PROMPTS = ('$ ', '(qemu) ', 'guest# ', '-- ')
# QMP of a guest that has options of its own.
SPECIAL = rasctl.SOCKET.with_name('special')
# An unassigned guest physical address.
NOWHERE = 0x100000000000
# What Linux prints of hardware errors, and of those of its own.
OF_ERRORS = 'Hardware Error|SError|MCE|Memory failure|Oops|panic'
HAS_MOVED = 'the process goes on, and has its data in another page'
# After these the guest is not used again.
ENDS_GUEST = re.compile('Kernel panic|Oops|Internal error|system_reset|nmi')


class Step(NamedTuple):
    """A line with a prompt, and the lines behind it that the guest prints."""

    prompt: str
    text: str
    printed: List[str]


class Recipe(NamedTuple):
    """A section of the page."""

    title: str
    # For QEMU, if the VM is a special one.
    options: str
    # Does the guest's kernel print nothing?
    silent: bool
    steps: List[Step]

    def ends_guest(self) -> bool:
        """Is the guest left in a bad state?"""
        return any(ENDS_GUEST.search('\n'.join([step.text, *step.printed]))
                   for step in self.steps)


def _steps(lines: List[str]) -> List[Step]:
    steps: List[Step] = []
    for line in lines:
        prompt = next((prompt for prompt in PROMPTS
                       if line.startswith(prompt)), '')
        if prompt:
            steps.append(Step(prompt, line[len(prompt):], []))
        elif line.startswith('> '):
            before = steps.pop()
            steps.append(before._replace(text=f'{before.text}\n{line[2:]}'))
        elif line:
            steps[-1].printed.append(line)
    return steps


def read(machine: str) -> List[Recipe]:
    """The recipes for one machine."""
    text = PAGE_OF_MANUAL.read_text(encoding='utf-8')
    part = re.split(r'\n([^\n]+)\n-{4,}\n', text)
    chapter = '\n' + part[part.index(machine) + 1]
    sections = re.split(r'\n([^\n]+)\n~{4,}\n', chapter)[1:]
    recipes = []
    for title, body in zip(sections[::2], sections[1::2]):
        blocks = re.findall(r'::\n\n((?:   .*\n|\n)+)', body + '\n')
        lines = [line[4:] if line.startswith('    ') else line[3:]
                 for block in blocks for line in block.split('\n')]
        options = re.search(r'VM is started with ``(.+?)``', body)
        silent = re.search('nothing is printed|prints nothing', body, re.I)
        recipes.append(Recipe(title, options[1] if options else '',
                              bool(silent), _steps(lines)))
    assert recipes and all(recipe.steps for recipe in recipes)
    return recipes


def pattern(line: str) -> str:
    """What is looked for on the console: @line, whatever its numbers are."""
    words = re.split(r'(0x[0-9a-f]+|\b[0-9a-f]{8,16}\b|\d+|\.\.\.)',
                     line.strip())
    return ''.join(
        re.escape(word) if number % 2 == 0 else
        '.*' if word == '...' else
        '(0x)?[0-9a-f]+' for number, word in enumerate(words))


class Runner:
    """Runs one recipe."""

    def __init__(self, guest: Guest, recipe: Recipe) -> None:
        self.guest = guest
        self.recipe = recipe
        text = str(recipe.steps)
        options: Dict[str, Any] = \
            {'memory': 'code'} if 'executes' in text else \
            {'memory': 'file'} if 'a page of a file' in text else \
            {'memory': 'device', 'address': NOWHERE} \
            if 'unassigned' in text else {}
        self.victim = guest.spawn(cpu=1, **options)
        self.account = guest.account()
        self.mark = guest.console.mark()
        # pages, where a recipe takes one out of use
        self.corrupted = guest.corrupted() if HAS_MOVED in (
            step.text for step in recipe.steps) else 0
        self.said = ''
        self.reset_mark = -1

    def run(self) -> None:
        """All steps."""
        for step in self.recipe.steps:
            mark = self.guest.console.mark()
            {'$ ': self.shell, '(qemu) ': self.monitor,
             'guest# ': self.guest_shell, '-- ': self.act}[step.prompt](
                 step.text)
            for line in step.printed:
                if not re.search(pattern(line), self.said):
                    mark = self.wait(line, mark)
        if self.recipe.silent:
            printed = self.guest.console.lines[self.mark:]
            assert not any(re.search(OF_ERRORS, line.text)
                           for line in printed), printed

    def wait(self, line: str, mark: int) -> int:
        """Wait for a line on the console; where the next one may be."""
        found = self.guest.console.wait(pattern(line), mark,
                                        60 * self.guest.factor)
        return self.guest.console.lines.index(found, mark) + 1

    def shell(self, command: str) -> None:
        """A command of the host."""
        tool = environment.path('RAS_RASCTL')
        socket = rasctl.SOCKET.with_name('qmp.sock')
        socket.unlink(missing_ok=True)
        socket.symlink_to(SPECIAL if self.recipe.options else rasctl.SOCKET)
        self.said = subprocess.run(
            ['bash', '-ec', command], cwd=rasctl.SOCKET.parent, check=True,
            stdout=subprocess.PIPE, text=True,
            timeout=180 * environment.time_factor(), env={
                **os.environ, 'PATH': f'{tool.parent}:{os.environ["PATH"]}',
                'page': hex(self.victim.pa[0]), 'vaddr': hex(self.victim.va),
                'kernel': self.kernel_page()},
            ).stdout

    def kernel_page(self) -> str:
        """A page of the kernel's code, if the recipe asks for one."""
        if '$kernel' not in str(self.recipe.steps):
            return ''
        code = self.guest.agent.run('grep "Kernel code" /proc/iomem').output
        return hex(int(code.split('-')[0], 16) + 0x100000)

    def monitor(self, command: str) -> None:
        """A command of the monitor."""
        if command == 'system_reset':
            self.reset_mark = self.guest.agent.stream.mark()
        self.said = self.guest.qemu.qmp('human-monitor-command',
                                        command_line=command)
        if command == 'cont' and self.reset_mark >= 0:
            self.guest.wait_boot(self.reset_mark)

    def guest_shell(self, command: str) -> None:
        """A command in the guest."""
        self.said = self.guest.agent.run(command).output

    def act(self, action: str) -> None:
        """What is not a command."""
        self.said = ''
        ACTIONS[action](self)

    def load(self) -> None:
        """An instruction of the process."""
        self.victim.tell('load')

    def signal(self, code: int) -> None:
        """The process is told, and ends."""
        assert self.victim.sigbus().code == code
        assert self.victim.end_after_sigbus() == cases.HANDLED

    def goes_on(self) -> None:
        """The process is not told, and the guest has taken the error."""
        serror = any('inject serror' in step.text
                     for step in self.recipe.steps)
        self.account.settle(
            **{'delivered' if serror else 'acknowledged': 1})
        self.guest.check_alive()
        assert not self.victim.has_exited()
        self.victim.kill()

    def has_moved(self) -> None:
        """The process has its data elsewhere."""
        # The process cannot be asked while the kernel moves its page.
        self.guest.wait_corrupted(self.corrupted + 1)
        assert hex(self.victim.pa[0]) not in self.victim.ask('where', 'ready ')
        assert self.victim.ask('check', 'checked ').endswith('bad=0')
        self.victim.kill()

    def killed(self, signal: int) -> None:
        """The process is gone."""
        assert self.victim.wait_exit() == Exit(-1, signal)

    def stop(self) -> None:
        """At a moment when the process runs."""
        cases.stop_spinning(self.guest, oracle_for(self.guest.target),
                            {1: self.victim})

    def fails(self) -> None:
        """The system call of the process."""
        # Linux reads a word, and then single bytes.
        self.account.settle(more=True, acknowledged=1)
        assert self.victim.wait('returned open ').endswith('errno=14')
        self.victim.kill()


ACTIONS: Dict[str, Callable[[Runner], None]] = {
    'the process loads from the page': Runner.load,
    'the process loads from an unassigned address': Runner.load,
    'the process executes an instruction in the page':
        lambda runner: runner.victim.tell('fetch'),
    'the process gets SIGBUS, code 4': lambda runner: runner.signal(4),
    'the process gets SIGBUS, code 5': lambda runner: runner.signal(5),
    'the process goes on': Runner.goes_on,
    HAS_MOVED: Runner.has_moved,
    'the process is killed by SIGSEGV': lambda runner: runner.killed(SIGSEGV),
    'the process is killed by SIGBUS': lambda runner: runner.killed(SIGBUS),
    'the kernel reads a page of a file, for execve(2)':
        lambda runner: runner.victim.tell('exec'),
    'the kernel reads the page, for open(2)':
        lambda runner: runner.victim.tell('open'),
    'open(2) fails with EFAULT': Runner.fails,
    'the VM is stopped while the process computes on CPU 1': Runner.stop,
}


class Recipes:
    """A test module subclasses it, and is parametrized by RECIPES."""

    @pytest.fixture
    def recipe_guest(self, request: pytest.FixtureRequest, recipe: Recipe,
                new_guest: Callable[..., Guest]) -> Guest:
        """A guest, with the options that the recipe asks for."""
        if not recipe.options:
            return request.getfixturevalue('guest')
        return new_guest(extra_args=[
            *recipe.options.split(),
            '-qmp', f'unix:{SPECIAL},server=on,wait=off']).boot()

    def test_recipe(self, recipe_guest: Guest, recipe: Recipe) -> None:
        """Everything happens as it is printed."""
        guest = recipe_guest
        # On arm64, Linux prints two records in five seconds and drops more.
        guest.agent.run('sleep 5')
        guest.damaged = recipe.ends_guest()
        Runner(guest, recipe).run()


def parametrize(machine: str) -> pytest.MarkDecorator:
    """A test for each recipe."""
    recipes = read(machine)
    return pytest.mark.parametrize('recipe', recipes, ids=[
        re.sub(r'\W+', '-', recipe.title).strip('-') for recipe in recipes])
