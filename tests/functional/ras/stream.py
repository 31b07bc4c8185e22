# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that arrive on a socket, with the time of their arrival."""

import re
import socket
import threading
import time
from pathlib import Path
from typing import IO, List, NamedTuple, Optional


class Line(NamedTuple):
    """One line and when its end arrived (seconds since the epoch)."""

    time: float
    text: str


class StreamTimeout(Exception):
    """A line did not come in time."""


def when(seconds: float) -> str:
    """Time of day with milliseconds."""
    return time.strftime('%H:%M:%S', time.localtime(seconds)) + \
        f'.{int(seconds * 1000) % 1000:03d}'


class LineStream:
    """Collects the lines of a socket in a thread; anybody may wait."""

    def __init__(self, name: str, path: Path, log: Path) -> None:
        self.name = name
        self.lines: List[Line] = []
        self.closed = False
        self._partial = b''
        self._condition = threading.Condition()
        self._connection: Optional[socket.socket] = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._log: IO[str] = open(log, 'w', encoding='utf-8')
        self._thread = threading.Thread(target=self._read, daemon=True,
                                        name=f'read {name}')

    def accept(self, timeout: float) -> None:
        """Take the connection that QEMU makes when it starts."""
        self._listener.settimeout(timeout)
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(None)
        self._listener.close()
        self._thread.start()

    def _read(self) -> None:
        assert self._connection is not None
        while True:
            try:
                data = self._connection.recv(65536)
            except OSError:
                data = b''
            if not data:
                break
            self._add(data)
        with self._condition:
            if self._partial:
                self._append(self._partial)
            self.closed = True
            self._log.close()
            self._condition.notify_all()

    def _append(self, raw: bytes) -> None:
        line = Line(time.time(), raw.decode('utf-8', 'replace').strip('\r'))
        self.lines.append(line)
        self._log.write(f'{when(line.time)} {line.text}\n')

    def _add(self, data: bytes) -> None:
        with self._condition:
            *whole, self._partial = (self._partial + data).split(b'\n')
            for raw in whole:
                self._append(raw)
            self._log.flush()
            self._condition.notify_all()

    def mark(self) -> int:
        """A place in the stream: what comes later has a higher index."""
        with self._condition:
            return len(self.lines)

    def since(self, mark: int) -> List[Line]:
        """The lines after @mark."""
        with self._condition:
            return self.lines[mark:]

    def matching(self, pattern: str, mark: int = 0) -> List[Line]:
        """The lines after @mark in which @pattern is found."""
        return [line for line in self.since(mark)
                if re.search(pattern, line.text)]

    def wait(self, pattern: str, mark: int = 0, timeout: float = 60,
             count: int = 1) -> Line:
        """Wait for the @count'th line after @mark that matches @pattern."""
        end = time.monotonic() + timeout
        seen, position = 0, mark
        with self._condition:
            while True:
                while position < len(self.lines):
                    if re.search(pattern, self.lines[position].text):
                        seen += 1
                        if seen == count:
                            return self.lines[position]
                    position += 1
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    why = 'it was closed' if self.closed else \
                        f'not in {timeout:.0f} s'
                    raise StreamTimeout(
                        f'{self.name}: waited for {pattern!r} '
                        f'({seen} of {count} came): {why}')
                self._condition.wait(left)

    def take_over(self, before: 'LineStream') -> None:
        """Go on where another one, which is closed, has ended.

        Nothing has arrived yet.  Places in the other one are places in this.
        """
        with self._condition:
            assert not self.lines and not self._partial
            self._partial = before._partial
            self.lines = before.lines[:-1] if self._partial else before.lines
            for line in self.lines:
                self._log.write(f'{when(line.time)} {line.text}\n')

    def send(self, text: str) -> None:
        """Send @text to the other side."""
        assert self._connection is not None
        self._connection.sendall(text.encode())

    def close(self) -> None:
        """End the connection and the thread."""
        self._listener.close()
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._thread.join(10)
            self._connection.close()
