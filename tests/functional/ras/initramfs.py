# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's initramfs: busybox and the programs of ../guest.

The result is kept in the cache under a name that is made from everything
that went into it, and is checked against its sum before it is used.

A guest that is to run programs of Debian has them, with their libraries, in a
second archive behind the first.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, List, Sequence

from . import environment
from .targets import Target

GUEST_SOURCES = Path(__file__).resolve().parent.parent / 'guest'
RTAS_SOURCES = Path(__file__).resolve().parent.parent / 'rtas'
CFLAGS = ['-static', '-O2', '-Wall', '-Wextra', '-Werror']
# Changes when the recipe below changes what comes out of the same input.
RECIPE = '1'
RASDAEMON = 'RAS_RASDAEMON_ARM64'
KEXEC, LIBRTASEVENT = 'RAS_KEXEC_PPC64', 'RAS_LIBRTASEVENT_PPC64'


def _version(compiler: str) -> bytes:
    return subprocess.run([compiler, '--version'], check=True,
                          stdout=subprocess.PIPE,
                          timeout=60 * environment.time_factor()).stdout


def _key(target: Target, busybox: Path) -> str:
    total = hashlib.sha256()
    versions = [_version(compiler) for compiler in
                (target.compiler, target.aarch32_compiler) if compiler]
    for part in (RECIPE.encode(), target.name.encode(), *versions,
                 ' '.join(CFLAGS).encode(), busybox.read_bytes()):
        total.update(hashlib.sha256(part).digest())
    for source in sorted(GUEST_SOURCES.glob('**/*.[ch]')):
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


def pack(root: Path, archive: Path) -> None:
    names = sorted(str(p.relative_to(root)) for p in root.rglob('*'))
    for name in names:
        os.utime(root / name, (0, 0), follow_symlinks=False)
    with open(archive, 'wb') as output:
        subprocess.run(['cpio', '--quiet', '--reproducible', '-o', '-H',
                        'newc', '-R', '+0:+0'], cwd=root, stdout=output,
                       input='\n'.join(names).encode() + b'\n', check=True,
                       timeout=60 * environment.time_factor())


def _compile(compiler: str, program: Path, *sources: Path) -> None:
    subprocess.run([compiler, *CFLAGS, '-o', str(program),
                    *map(str, sources)], check=True,
                   timeout=300 * environment.time_factor())


def _build(folder: Path, busybox: Path, target: Target) -> Path:
    root = folder / 'root'
    for name in ('bin', 'dev', 'proc', 'sys', 'tmp'):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / 'bin' / 'busybox')
    (root / 'bin' / 'busybox').chmod(0o755)
    _compile(target.compiler, root / 'init',
             *sorted(GUEST_SOURCES.glob('*.c')))
    if target.aarch32_compiler:
        _compile(target.aarch32_compiler, root / 'bin' / 'victim-aarch32',
                 GUEST_SOURCES / 'aarch32' / 'main.c',
                 GUEST_SOURCES / 'victim.c')
    archive = folder / 'initramfs.cpio'
    pack(root, archive)
    return archive


def _build_second(folder: Path, first: Path, parts: List[Path],
                  add: Callable[[Path], None]) -> Path:
    root = folder / 'root'
    for part in parts:
        shutil.copytree(part / 'usr', root / 'usr', symlinks=True,
                        dirs_exist_ok=True)
    for name in ('lib', 'lib64'):
        if (root / 'usr' / name).exists():
            (root / name).symlink_to(f'usr/{name}')
    add(root)
    second = folder / 'second.cpio'
    pack(root, second)
    archive = folder / 'initramfs.cpio'
    archive.write_bytes(first.read_bytes() + second.read_bytes())
    return archive


def _cached(name: str, build: Callable[[Path], Path]) -> Path:
    cache = environment.directory('RAS_CACHE') / 'functional'
    cache.mkdir(exist_ok=True)
    archive = cache / f'{name}.cpio'
    checksum = archive.with_suffix('.sha256')
    if _is_good(archive, checksum):
        return archive
    # Two runs at once build it twice; renaming makes the last one win, with
    # the same content.
    with tempfile.TemporaryDirectory(dir=cache, prefix='build-') as folder:
        built = build(Path(folder))
        built_sum = Path(folder) / 'sum'
        built_sum.write_text(_sum(built) + '\n', encoding='ascii')
        os.replace(built, archive)
        os.replace(built_sum, checksum)
    return archive


def get(target: Target) -> Path:
    """Path of the initramfs for @target; built if the cache has none."""
    busybox = environment.path(target.busybox_variable)
    return _cached(f'initramfs-{target.name}-{_key(target, busybox)}',
                   lambda folder: _build(folder, busybox, target))


def _get_second(name: str, target: Target, variables: Sequence[str],
                files: Sequence[Path], add: Callable[[Path], None]) -> Path:
    """@files: what @add puts in, or makes it of."""
    first = get(target)
    parts = [environment.path(variable) for variable in variables]
    # The name of each part has its version.
    key = hashlib.sha256('\n'.join(
        [first.name, *(part.name for part in parts),
         *(_sum(file) for file in files)]).encode()).hexdigest()
    return _cached(f'{name}-{target.name}-{key[:20]}',
                   lambda folder: _build_second(folder, first, parts, add))


def get_with_rasdaemon(target: Target) -> Path:
    """The same with rasdaemon (arm64)."""
    return _get_second('rasdaemon', target, [RASDAEMON], [],
                       lambda root: (root / 'var/lib/rasdaemon').mkdir(
                           parents=True))


def get_with_rtas_tools(target: Target) -> Path:
    """The same with kexec, what it needs to start, and rtas-log (ppc64).

    As far as they can be had.
    """
    tools = [tool for tool in (KEXEC, LIBRTASEVENT)
             if not environment.missing(tool)]
    first = get(target)
    kernel = environment.path(target.kernel_variable)

    def add(root: Path) -> None:
        (root / 'usr/sbin').mkdir(exist_ok=True)
        for library in root.glob('usr/lib/*/librtasevent.so.2'):
            subprocess.run(
                [target.compiler, '-O2', '-Wall', '-Wextra', '-Werror',
                 '-o', str(root / 'usr/sbin/rtas-log'),
                 str(RTAS_SOURCES / 'rtas-log.c'), str(library)],
                check=True, timeout=300 * environment.time_factor())
        (root / 'boot').mkdir()
        shutil.copy(kernel, root / 'boot' / 'kernel')
        shutil.copy(first, root / 'boot' / 'initrd')

    return _get_second('rtas-tools', target, tools,
                       [kernel, *sorted(RTAS_SOURCES.glob('*.[ch]'))], add)
