# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian system in a folder."""

import os
import subprocess
from pathlib import Path
from typing import Set

# What is not the package's: mounts, and what apt and dpkg note for themselves.
NOT_LOOKED_AT = ('proc', 'sys', 'dev', 'tmp', 'package', 'root', 'run',
                 'var/cache', 'var/lib/apt', 'var/lib/dpkg', 'var/log')
EMULATORS = {'arm64': '/usr/bin/qemu-ras-system-aarch64',
             'ppc64': '/usr/bin/qemu-ras-system-ppc64'}
# Of the commands that run there.
ENVIRONMENT = {'HOME': '/root', 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8',
               'DEBIAN_FRONTEND': 'noninteractive',
               'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
               **{name: os.environ[name] for name in
                  ('http_proxy', 'https_proxy') if name in os.environ}}


class System:
    """A Debian system in a folder."""

    def __init__(self, suite: str, root: Path) -> None:
        self.suite = suite
        self.root = root
        self.before: Set[str] = set()

    def _run(self, command: str) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run(
            ['chroot', str(self.root), 'sh', '-c', command], env=ENVIRONMENT,
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def run(self, command: str) -> str:
        """Output of a shell command in the system, which must succeed."""
        done = self._run(command)
        assert done.returncode == 0, f'{command}:\n{done.stdout}'
        return done.stdout

    def status(self, command: str) -> int:
        """Exit status of a shell command in the system."""
        return self._run(command).returncode

    def apt_get(self, arguments: str) -> str:
        """Run apt-get without questions."""
        return self.run('apt-get -q -y --no-install-recommends '
                        f'-o Acquire::Retries=3 {arguments}')

    def file(self, path: str) -> Path:
        """Where file @path of the system is."""
        return self.root / path.lstrip('/')

    def read(self, path: str) -> str:
        """Content of a text file."""
        return self.file(path).read_text(encoding='utf-8')

    def files(self) -> Set[str]:
        """All files and folders of the system."""
        found = set()
        shared = {os.environ[name].lstrip('/')
                  for name in ('RAS_CACHE', 'RAS_RESULTS')}
        for folder, folders, files in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders
                          if str(here / name) not in shared and
                          str(here / name) not in NOT_LOOKED_AT]
            found.update(str(here / name) for name in [*folders, *files])
        return found
