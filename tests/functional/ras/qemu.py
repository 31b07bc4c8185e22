# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process: QMP, the guest's console, and what they said.

Built on QEMU's own qemu.machine.  Three files are kept per process, in
$RAS_RESULTS/functional/<name>: console.log, agent.log, qmp.log; and QEMU's
own output (messages and trace) in qemu.log.
"""

import asyncio
import json
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from . import environment
from .stream import Line, LineStream, when

# Seconds, before they are stretched.
QMP_TIMEOUT = 60.0


class QemuError(Exception):
    """QEMU refused a command; the text is QEMU's."""


class QemuGone(Exception):
    """The QEMU process ended, or no longer answers."""


def _fresh_directory(name: str) -> Path:
    """A directory of that name below the results, emptied."""
    folder = environment.directory('RAS_RESULTS') / 'functional' / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Qemu:
    """A QEMU process with a console, an agent port and a QMP monitor.

    Use as a context manager: the process is gone afterwards.  It also ends
    when the thread that launched it ends in any other way.
    """

    def __init__(self, binary: Path, args: Sequence[str], name: str) -> None:
        environment.use_qemu_python()
        from qemu.machine import QEMUMachine  # pylint: disable=C0415

        self.name = name
        self._patience = QMP_TIMEOUT * environment.time_factor()
        self.events: List[Dict[str, Any]] = []
        self.exchange: List[Line] = []
        self.logs = _fresh_directory(name)
        self._qmp_log = open(self.logs / 'qmp.log', 'w', encoding='utf-8')
        # Socket names must be short.
        self._sockets = Path(tempfile.mkdtemp(prefix='ras-'))
        self.console = LineStream('console', self._sockets / 'console',
                                  self.logs / 'console.log')
        self.agent = LineStream('agent', self._sockets / 'agent',
                                self.logs / 'agent.log')
        self.gdb_socket = self._sockets / 'gdb'
        self._loop = asyncio.new_event_loop()
        self._vm = QEMUMachine(
            str(binary), name='qemu', log_dir=str(self.logs),
            base_temp_dir=str(self._sockets), qmp_timer=self._patience,
            wrapper=['setpriv', '--pdeathsig', 'KILL', '--'],
            args=[*args,
                  '-chardev', f'socket,id=c,path={self._sockets}/console',
                  '-serial', 'chardev:c',
                  '-chardev', f'socket,id=a,path={self._sockets}/agent',
                  '-device', 'virtio-serial-pci',
                  '-device', 'virtserialport,chardev=a,name=ras.agent',
                  '-nic', 'none', '-msg', 'timestamp=on',
                  # Without the accesses: a guest may go round in them.
                  '-trace', 'ras_*', '-trace', 'enable=-ras_poison_access'])

    def __enter__(self) -> 'Qemu':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def launch(self) -> None:
        """Start the process.  Call it from a thread that lives on."""
        # qemu.qmp takes the event loop that is current when it connects.
        asyncio.set_event_loop(self._loop)
        try:
            self._vm.launch()
            self._vm._qmp.settimeout(self._patience)
            self.console.accept(self._patience)
            self.agent.accept(self._patience)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> Optional[int]:
        """Process id, or None if it does not run."""
        return self._vm.get_pid()

    def is_running(self) -> bool:
        """True while the process exists."""
        return self._vm.is_running()

    # QMP

    def _note(self, text: str, moment: Optional[float] = None) -> None:
        line = Line(moment or time.time(), text)
        self.exchange.append(line)
        self._qmp_log.write(f'{when(line.time)} {text}\n')
        self._qmp_log.flush()

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command (arguments with _ for -) and return its result.

        Raises QemuError with QEMU's text if QEMU refuses.
        """
        arguments = {key.replace('_', '-'): value
                     for key, value in arguments.items() if value is not None}
        self._note(f'-> {command} {json.dumps(arguments)}')
        try:
            answer = self._vm.qmp(command, arguments)
        except Exception as exc:  # pylint: disable=broad-except
            self._note(f'<- no answer: {type(exc).__name__} {exc}')
            raise QemuGone(f'no answer to {command}: '
                           f'{type(exc).__name__} {exc}') from exc
        self.pump()
        if 'error' in answer:
            self._note(f'<- error {json.dumps(answer["error"])}')
            raise QemuError(answer['error']['desc'])
        self._note(f'<- {json.dumps(answer["return"])}')
        return answer['return']

    def hmp(self, command: str) -> str:
        """Run a command of the human monitor and return its output."""
        return self.qmp('human-monitor-command', command_line=command)

    def timed(self, command: str, **arguments: Any) -> float:
        """Run a QMP command; how long it took, in seconds."""
        start = time.monotonic()
        self.qmp(command, **arguments)
        return time.monotonic() - start

    def _add_events(self, events: List[Dict[str, Any]]) -> None:
        for event in events:
            self.events.append(event)
            stamp = event['timestamp']
            self._note(f'<- event {event["event"]} '
                       f'{json.dumps(event.get("data", {}))}',
                       stamp['seconds'] + stamp['microseconds'] / 1e6)

    def pump(self) -> None:
        """Collect the events that have arrived."""
        if self._vm._qmp_connection is not None:
            try:
                while True:
                    events = self._vm.get_qmp_events(wait=False)
                    if not events:
                        break
                    self._add_events(events)
            except Exception as exc:  # pylint: disable=broad-except
                self._note(f'<- connection lost: {type(exc).__name__}')

    def wait_events(self, done: Callable[[], bool], what: str,
                    timeout: float) -> None:
        """Collect events until done() says that there are enough."""
        end = time.monotonic() + timeout
        self.pump()
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                raise QemuGone(f'{what}: not in {timeout:.0f} s')
            try:
                # In slices, so that what done() looks at besides events
                # counts, too.
                self._add_events(
                    self._vm.get_qmp_events(wait=min(left, 1.0)))
            except asyncio.TimeoutError:
                continue
            except Exception as exc:
                raise QemuGone(f'{what}: {type(exc).__name__}') from exc
            self.pump()

    def wait_event(self, name: str, mark: int = 0,
                   timeout: float = 60) -> Dict[str, Any]:
        """Wait for the first event of that name after index @mark."""
        def found() -> List[Dict[str, Any]]:
            return [e for e in self.events[mark:] if e['event'] == name]

        self.wait_events(lambda: bool(found()), f'event {name}',
                         timeout * environment.time_factor())
        return found()[0]

    def take_over(self, before: 'Qemu') -> None:
        """The guest has moved here: its past has happened here, too."""
        before.pump()
        self.pump()
        self.events = before.events + self.events
        for mine, other in ((self.console, before.console),
                            (self.agent, before.agent)):
            other.close()
            mine.take_over(other)

    # The end

    def quit(self) -> float:
        """Tell QEMU to quit; seconds until the process was gone."""
        start = time.monotonic()
        self._note('-> quit')
        self._vm.qmp('quit')
        self._vm._subp.wait(self._patience)
        took = time.monotonic() - start
        self._note(f'<- gone, exit status {self._vm.exitcode()}')
        return took

    def exit_status(self) -> Optional[int]:
        """Exit status of the process; negative for a signal."""
        return self._vm.exitcode()

    def output(self) -> List[str]:
        """What QEMU wrote so far: messages and trace."""
        try:
            text = (self.logs / 'qemu.log').read_text(encoding='utf-8',
                                                      errors='replace')
        except OSError:
            return []
        return text.splitlines()

    def trace(self, pattern: str) -> List[str]:
        """The lines of QEMU's output in which @pattern is found."""
        return [line for line in self.output() if re.search(pattern, line)]

    def close(self) -> None:
        """End the process, whatever state it is in, and clean up."""
        try:
            if self._vm.is_running():
                self.pump()
                self._vm.shutdown(hard=True)
            else:
                self._vm.shutdown(timeout=10)
        except Exception as exc:  # pylint: disable=broad-except
            self._note(f'shutdown: {type(exc).__name__} {exc}')
        finally:
            self.console.close()
            self.agent.close()
            self._loop.close()
            # Others find one that is open.
            asyncio.set_event_loop(asyncio.new_event_loop())
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._qmp_log.close()
            if os.environ.get('RAS_DEBUG'):
                print(f'logs of {self.name}: {self.logs}')
