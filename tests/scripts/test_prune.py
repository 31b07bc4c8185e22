# SPDX-License-Identifier: GPL-2.0-or-later
"""What is old in the cache is removed, unless somebody makes it just now."""

import fcntl
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LONG_AGO = 1000000000


def test_what_is_being_made_is_kept(tmp_path: Path) -> None:
    """Its folder can be old: that of a file system that was unpacked."""
    folder = tmp_path / 'new' / 'libvirt:old'
    (folder / 'usr').mkdir(parents=True)
    os.utime(folder, (LONG_AGO, LONG_AGO))
    (tmp_path / 'lock').mkdir()
    command = ['bash', '-c', f'. {TOP}/scripts/lib.sh; prune new 0 1']
    environment = {**os.environ, 'RAS_CACHE': str(tmp_path)}
    with (tmp_path / 'lock' / folder.name).open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(command, env=environment, check=True)
        assert (folder / 'usr').is_dir()
    subprocess.run(command, env=environment, check=True)
    assert not folder.exists()
