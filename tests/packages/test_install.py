# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/install: "make install" and "make uninstall"."""

import json
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Run a command with the cache mounted so that it can only be read.
READ_ONLY = 'mount --bind "$RAS_CACHE" "$RAS_CACHE" && ' \
    'mount -o remount,bind,ro "$RAS_CACHE" && exec "$@"'


def test_read_only_cache(tmp_path: Path) -> None:
    """A cache that has all of it need not be written to."""
    prefix = tmp_path / 'with a blank'
    done = subprocess.run(
        ['unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh',
         TOP / 'scripts/install'], check=False,
        env={**os.environ, 'PREFIX': str(prefix)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[1:] == [], 'one line, and no complaints'
    for emulator in ('aarch64', 'ppc64'):
        shown = subprocess.run(
            [prefix / f'bin/qemu-ras-system-{emulator}', '-version'],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        assert '(qemu-ras ' in shown
    for name in ('AAVMF_CODE.fd', 'AAVMF_VARS.fd'):
        status = (prefix / 'share/qemu-ras' / name).stat()
        assert status.st_size == 64 << 20
        # The rest of the flash takes no room.
        assert status.st_blocks * 512 <= 4 << 20
    found = json.loads(
        (prefix / 'share/qemu-ras/70-qemu-ras-aarch64.json').read_text())
    for part, name in (('executable', 'CODE'), ('nvram-template', 'VARS')):
        assert found['mapping'][part]['filename'] == \
            str(prefix / f'share/qemu-ras/AAVMF_{name}.fd')
    unit = prefix / 'share/doc/qemu-ras/examples/rasctl-alarm@.service'
    assert f'\nExecStart={prefix}/bin/rasctl ' in unit.read_text()
    subprocess.run([TOP / 'scripts/install', 'uninstall'], check=True,
                   env={**os.environ, 'PREFIX': str(prefix)})
    assert not prefix.exists()


def test_read_only_and_empty(tmp_path: Path) -> None:
    """If something has yet to be made, one line says what is wrong."""
    done = subprocess.run(
        ['unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh',
         TOP / 'scripts/rasctl'], check=False,
        env={**os.environ, 'RAS_CACHE': str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1, done.stdout
    assert done.stdout.startswith(f'qemu-ras: cannot write to {tmp_path}')
