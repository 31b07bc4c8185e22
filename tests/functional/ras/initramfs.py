# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's initramfs: busybox and the programs of ../guest.

The result is kept in the cache under a name that is made from everything
that went into it, and is checked against its sum before it is used.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import environment
from .targets import Target

GUEST_SOURCES = Path(__file__).resolve().parent.parent / 'guest'
CFLAGS = ['-static', '-O2', '-Wall', '-Wextra', '-Werror']
# Changes when the recipe below changes what comes out of the same input.
RECIPE = '1'


def _key(target: Target, busybox: Path, compiler: str) -> str:
    total = hashlib.sha256()
    version = subprocess.run([compiler, '--version'], check=True,
                             stdout=subprocess.PIPE, timeout=60).stdout
    for part in (RECIPE.encode(), target.name.encode(), version,
                 ' '.join(CFLAGS).encode(), busybox.read_bytes()):
        total.update(hashlib.sha256(part).digest())
    for source in sorted(GUEST_SOURCES.glob('*.[ch]')):
        total.update(source.name.encode())
        total.update(hashlib.sha256(source.read_bytes()).digest())
    return total.hexdigest()[:20]


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_good(archive: Path, checksum: Path) -> bool:
    try:
        return checksum.read_text(encoding='ascii').strip() == _sum(archive)
    except OSError:
        return False


def _build(folder: Path, busybox: Path, compiler: str) -> Path:
    root = folder / 'root'
    for name in ('bin', 'dev', 'proc', 'sys', 'tmp'):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / 'bin' / 'busybox')
    (root / 'bin' / 'busybox').chmod(0o755)
    subprocess.run([compiler, *CFLAGS, '-o', str(root / 'init'),
                    *map(str, sorted(GUEST_SOURCES.glob('*.c')))],
                   check=True, timeout=300)
    names = sorted(str(p.relative_to(root)) for p in root.rglob('*'))
    for name in names:
        os.utime(root / name, (0, 0))
    archive = folder / 'initramfs.cpio'
    with open(archive, 'wb') as output:
        subprocess.run(['cpio', '--quiet', '--reproducible', '-o', '-H',
                        'newc', '-R', '+0:+0'], cwd=root, stdout=output,
                       input='\n'.join(names).encode() + b'\n', check=True,
                       timeout=60)
    return archive


def get(target: Target) -> Path:
    """Path of the initramfs for @target; built if the cache has none."""
    busybox = environment.path(target.busybox_variable)
    compiler = target.compiler
    cache = environment.directory('RAS_CACHE') / 'functional'
    cache.mkdir(exist_ok=True)
    archive = cache / f'initramfs-{target.name}-' \
                      f'{_key(target, busybox, compiler)}.cpio'
    checksum = archive.with_suffix('.sha256')
    if _is_good(archive, checksum):
        return archive
    # Two runs at once build it twice; renaming makes the last one win, with
    # the same content.
    with tempfile.TemporaryDirectory(dir=cache, prefix='build-') as folder:
        built = _build(Path(folder), busybox, compiler)
        built_sum = Path(folder) / 'sum'
        built_sum.write_text(_sum(built) + '\n', encoding='ascii')
        os.replace(built, archive)
        os.replace(built_sum, checksum)
    return archive
