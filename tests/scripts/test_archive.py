# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/archive with archives that lack what they list.

Each test makes a small archive of its own on disk, with packages that have
next to nothing in them.
"""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest

TOP = Path(__file__).resolve().parents[2]
RELEASES = ('trixie', 'forky', 'bookworm')
IMAGE = 'linux-image-6.12.{}+deb13-powerpc64le'
CANNOT_BE_HAD = 3


def run(*command: object, cwd: Optional[Path] = None) -> str:
    """Output of a command that must succeed."""
    return subprocess.run(list(map(str, command)), cwd=cwd, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


class Archive:
    """A Debian archive in a folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.packages: Dict[str, List[str]] = {name: [] for name in RELEASES}
        self.sources: List[str] = []

    def add(self, release: str, name: str, arch: str, version: str,
            **files: bytes) -> Path:
        """Add a package with FILES; "__" in their names is a "/"."""
        root = self.top / 'root'
        for path, content in {'usr__share__doc__x': b'', **files}.items():
            file = root / path.replace('__', '/')
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        control = (f'Package: {name}\nVersion: {version}\n'
                   f'Architecture: {arch}\nMaintainer: nobody\n'
                   'Description: a test\n')
        (root / 'DEBIAN').mkdir()
        (root / 'DEBIAN' / 'control').write_text(control)
        path = f'pool/{name}_{version}_{arch}.deb'
        (self.top / 'pool').mkdir(exist_ok=True)
        run('dpkg-deb', '--root-owner-group', '-Znone', '-b', root,
            self.top / path)
        shutil.rmtree(root)
        content = (self.top / path).read_bytes()
        self.packages[release].append(
            f'{control}Filename: {path}\nSize: {len(content)}\n'
            f'SHA256: {hashlib.sha256(content).hexdigest()}\n')
        return self.top / path

    def add_kernel(self, release: str, version: str) -> Path:
        """Add a kernel for ppc64; @version is that of Debian."""
        minor = version.split('.')[2].split('-')[0]
        return self.add(release, IMAGE.format(minor), 'ppc64el', version,
                        boot__vmlinux=f'kernel {version}'.encode())

    def add_qemu(self, version: str) -> Path:
        """Add a source package of QEMU; return its .dsc."""
        source = self.top / 'source'
        for name, content in (
                ('VERSION', version), ('debian/source/format', '3.0 (native)'),
                ('debian/control', 'Source: qemu\nMaintainer: nobody <n@n>\n'
                 '\nPackage: qemu\nArchitecture: all\nDescription: a test\n'),
                ('debian/changelog', f'qemu ({version}) trixie; urgency=low\n'
                 '\n  * A test.\n\n -- nobody <n@n>  '
                 'Thu, 01 Jan 2026 00:00:00 +0000\n')):
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content + '\n')
        pool = self.top / 'pool'
        pool.mkdir(exist_ok=True)
        run('dpkg-source', '-b', source, cwd=pool)
        shutil.rmtree(source)
        lines = []
        for file in sorted(pool.glob(f'qemu_{version}.*')):
            content = file.read_bytes()
            lines.append(f' {hashlib.sha256(content).hexdigest()} '
                         f'{len(content)} {file.name}\n')
        self.sources.append(
            f'Package: qemu\nFormat: 3.0 (native)\nBinary: qemu\n'
            f'Architecture: all\nVersion: {version}\nDirectory: pool\n'
            f'Checksums-Sha256:\n{"".join(lines)}')
        return pool / f'qemu_{version}.dsc'

    def publish(self) -> None:
        """Write the indexes as of now."""
        for release, packages in self.packages.items():
            dist = self.top / 'dists' / release
            shutil.rmtree(dist, ignore_errors=True)
            indexes = {}
            for arch in ('arm64', 'ppc64el'):
                indexes[f'main/binary-{arch}/Packages'] = '\n'.join(
                    text for text in packages
                    if f'Architecture: {arch}\n' in text or
                    'Architecture: all\n' in text)
            indexes['main/source/Sources'] = \
                '\n'.join(self.sources) if release == 'trixie' else ''
            sums = ''
            for name, text in indexes.items():
                (dist / name).parent.mkdir(parents=True)
                (dist / name).write_text(text)
                sums += (f' {hashlib.sha256(text.encode()).hexdigest()} '
                         f'{len(text)} {name}\n')
            (dist / 'Release').write_text(
                f'Codename: {release}\nSuite: {release}\n'
                'Components: main\nArchitectures: arm64 ppc64el\n'
                f'SHA256:\n{sums}')


class Result:
    """What a script has said."""

    def __init__(self, done: 'subprocess.CompletedProcess[str]') -> None:
        self.status = done.returncode
        self.output = done.stdout.strip()
        self.errors = done.stderr

    @property
    def died(self) -> List[str]:
        """The messages of its end."""
        return [line for line in self.errors.splitlines()
                if line.startswith('qemu-ras: ')]

    def read(self, name: str) -> str:
        """A file of the entry that it printed."""
        assert self.status == 0, self.errors
        return (Path(self.output) / name).read_text()


class Runner:
    """Runs scripts/archive with a cache of its own."""

    def __init__(self, archive: str, cache: Path) -> None:
        self.began = int(time.time()) - 1000
        self.environment = {
            **os.environ, 'RAS_ARCHIVE': archive, 'RAS_ARCHIVE_TRUSTED': 'yes',
            'RAS_CACHE': str(cache), 'no_proxy': '127.0.0.1'}
        for name in ('RAS_T0', 'QEMU_SRC'):
            self.environment.pop(name, None)

    def __call__(self, *arguments: str, **environment: str) -> Result:
        # A run is told from others by the second in which it began.
        self.began += 1
        return Result(subprocess.run(
            [TOP / 'scripts' / 'archive', *arguments], text=True, check=False,
            env={**self.environment, 'RAS_T0': str(self.began), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive with nothing in it."""
    yield Archive(tmp_path / 'archive')


@pytest.fixture
def scripts_archive(archive: Archive, tmp_path: Path) -> Runner:
    """scripts/archive with that archive and an empty cache."""
    return Runner(f'file:{archive.top}', tmp_path / 'cache')


def test_newest(archive: Archive, scripts_archive: Runner) -> None:
    """The newest version is taken, and nothing is said of others."""
    for version in ('6.12.99-1', '6.12.107-1', '6.12.117-1'):
        archive.add_kernel('trixie', version)
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel 6.12.117-1'
    assert 'cannot be had' not in result.errors


def test_newest_is_gone(archive: Archive, scripts_archive: Runner) -> None:
    """The next one is taken, and remembered."""
    archive.add_kernel('trixie', '6.12.99-1')
    archive.add_kernel('trixie', '6.12.107-1')
    newest = archive.add_kernel('trixie', '6.12.117-1')
    kept = newest.rename(newest.with_suffix('.kept'))
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel 6.12.107-1'
    assert f'kernel-ppc64: {IMAGE.format(117)} 6.12.117-1 of trixie ' \
        'cannot be had' in result.errors
    assert f'taking {IMAGE.format(107)} 6.12.107-1 of trixie' in result.errors

    kept.rename(newest)
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel 6.12.107-1'
    assert result.errors == ''
    result = scripts_archive('update')
    assert result.status == 0
    assert f'kernel-ppc64: now {IMAGE.format(117)}' in result.errors
    assert scripts_archive('kernel-ppc64').read('kernel') == \
        'kernel 6.12.117-1'
    assert 'everything is up to date' in scripts_archive('update').errors


def test_not_our_kernels(archive: Archive, scripts_archive: Runner) -> None:
    """Neither other flavours nor kernels before 6.1 are taken."""
    for name, version in (('5.10.0-30-powerpc64le', '5.10.218-1'),
                          ('6.12.9+deb13-rt-powerpc64le', '6.12.9-1'),
                          ('6.12.9+deb13-powerpc64le-64k', '6.12.9-1'),
                          ('6.12.9+deb13-powerpc64le-dbg', '6.12.9-1')):
        archive.add('trixie', f'linux-image-{name}', 'ppc64el', version,
                    boot__vmlinux=name.encode())
    archive.add('bookworm', 'linux-image-6.1.0-37-powerpc64le', 'ppc64el',
                '6.1.140-1', boot__vmlinux=b'the only one')
    archive.publish()
    assert scripts_archive('kernel-ppc64').read('kernel') == 'the only one'


def test_another_release(archive: Archive, scripts_archive: Runner) -> None:
    """If the release has none, the next one has."""
    archive.add_kernel('trixie', '6.12.117-1').unlink()
    archive.add_kernel('bookworm', '6.1.1-1')
    archive.add('forky', 'linux-image-7.2.1+deb14-powerpc64le', 'ppc64el',
                '7.2.1-1')
    archive.add('forky', 'linux-binary-7.2.1+deb14-powerpc64le', 'ppc64el',
                '7.2.1-1', usr__lib__modules__x__vmlinux=b'kernel of forky')
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel of forky'
    assert 'taking linux-binary-7.2.1+deb14-powerpc64le 7.2.1-1 of forky' in \
        result.errors


def test_truncated(archive: Archive, scripts_archive: Runner) -> None:
    """A damaged file is as good as none."""
    archive.add_kernel('trixie', '6.12.107-1')
    newest = archive.add_kernel('trixie', '6.12.117-1')
    newest.write_bytes(newest.read_bytes()[:-1000])
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel 6.12.107-1'
    assert '6.12.117-1 of trixie cannot be had' in result.errors


def test_required(archive: Archive, scripts_archive: Runner) -> None:
    """Without a kernel nothing goes on, and one message says so."""
    archive.add_kernel('trixie', '6.12.107-1').unlink()
    archive.add_kernel('trixie', '6.12.117-1').unlink()
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.status == 1 and result.output == ''
    assert len(result.died) == 1
    assert 'kernel-ppc64 cannot be had' in result.died[0]
    assert '6.12.117-1' in result.died[0]
    assert scripts_archive('fetch', 'demo').status == 1


def add_kexec(archive: Archive, release: str, version: str) -> List[Path]:
    """Add all that kexec-ppc64 consists of."""
    triplet = 'usr__powerpc64le-linux-gnu__lib__'
    return [archive.add(release, 'kexec-tools', 'ppc64el', version,
                        usr__sbin__kexec=b'kexec ' + version.encode()),
            archive.add(release, 'libc6-ppc64el-cross', 'all', version,
                        **{f'{triplet}{name}': version.encode() for name in
                           ('ld64.so.2', 'libc.so.6', 'libm.so.6')})]


def test_optional(archive: Archive, scripts_archive: Runner) -> None:
    """What few tests need is told apart from what all need."""
    for version in ('1', '2'):
        add_kexec(archive, 'trixie', version)[0].unlink()
    archive.publish()
    result = scripts_archive('kexec-ppc64')
    assert result.status == CANNOT_BE_HAD
    assert result.output.startswith('kexec-ppc64 cannot be had')
    assert 'kexec-tools 2 of trixie' in result.output
    # What never was in the archive, too.
    result = scripts_archive('librtasevent-ppc64')
    assert result.status == CANNOT_BE_HAD
    assert 'there is no librtasevent2' in result.output


def test_one_release_for_a_set(archive: Archive,
                               scripts_archive: Runner) -> None:
    """A program and its libc are not taken from two releases."""
    add_kexec(archive, 'trixie', '1')[1].unlink()
    add_kexec(archive, 'forky', '2')
    archive.publish()
    result = scripts_archive('kexec-ppc64')
    assert result.read('usr/sbin/kexec') == 'kexec 2'
    assert result.read('usr/lib64/ld64.so.2') == '2'
    assert 'taking all of forky' in result.errors


def test_index_changes(archive: Archive, scripts_archive: Runner) -> None:
    """An index that has been overtaken is read again, once."""
    archive.add('trixie', 'busybox-static', 'ppc64el', '1',
                usr__bin__busybox=b'busybox')
    old = archive.add_kernel('trixie', '6.12.107-1')
    archive.publish()
    assert scripts_archive('busybox-ppc64').read('busybox') == 'busybox'
    old.unlink()
    archive.packages['trixie'].clear()
    archive.add_kernel('trixie', '6.12.117-1')
    archive.publish()
    result = scripts_archive('kernel-ppc64')
    assert result.read('kernel') == 'kernel 6.12.117-1'
    assert result.errors.count('reading the index of Debian trixie') == 1


def test_remembered_is_gone(archive: Archive, scripts_archive: Runner) -> None:
    """What was chosen, and lost, and is no longer there, is chosen anew."""
    archive.add_kernel('trixie', '6.12.107-1')
    archive.publish()
    cache = Path(scripts_archive.environment['RAS_CACHE'])
    assert scripts_archive('kernel-ppc64').status == 0
    archive.packages['trixie'].clear()
    shutil.rmtree(archive.top / 'pool')
    archive.add_kernel('trixie', '6.12.117-1')
    archive.publish()
    shutil.rmtree(cache / 'unpacked')
    # The package is still there.
    assert scripts_archive('kernel-ppc64').read('kernel') == \
        'kernel 6.12.107-1'
    shutil.rmtree(cache / 'unpacked')
    shutil.rmtree(cache / 'deb')
    assert scripts_archive('kernel-ppc64').read('kernel') == \
        'kernel 6.12.117-1'


def test_source(archive: Archive, scripts_archive: Runner) -> None:
    """The newest 10.0.x whose files are all there is taken."""
    archive.add_qemu('10.0.5')
    archive.add_qemu('10.0.13').with_suffix('.tar.xz').unlink()
    archive.add_qemu('10.1.0')
    archive.publish()
    result = scripts_archive('base')
    assert result.read('VERSION') == '10.0.5\n'
    assert 'qemu 10.0.13 of trixie cannot be had' in result.errors


def test_no_source(archive: Archive, scripts_archive: Runner) -> None:
    """Another QEMU does not do; a source tree does."""
    archive.add_qemu('10.1.0')
    archive.publish()
    result = scripts_archive('base')
    assert result.status == 1
    assert 'QEMU_SRC=DIR' in result.died[0]


DOWN = 'http://127.0.0.1:1/'


def test_no_network_full_cache(archive: Archive,
                               scripts_archive: Runner) -> None:
    """What is in the cache needs no network."""
    archive.add_kernel('trixie', '6.12.117-1')
    add_kexec(archive, 'trixie', '1')
    archive.publish()
    for name in ('kernel-ppc64', 'kexec-ppc64'):
        first = scripts_archive(name)
        assert first.status == 0
        second = scripts_archive(name, RAS_ARCHIVE=DOWN)
        assert (second.output, second.errors) == (first.output, '')


def test_no_network_empty_cache(tmp_path: Path) -> None:
    """One message, in less than a minute; and nothing optional is missing."""
    script = Runner(DOWN, tmp_path / 'cache')
    for name in ('kernel-ppc64', 'kexec-ppc64'):
        began = time.monotonic()
        result = script(name)
        factor = float(os.environ.get('RAS_TIME_FACTOR', '1'))
        assert time.monotonic() - began < 60 * factor
        assert result.status == 1 and result.output == ''
        assert len(result.died) == 1
        assert 'Is the network there?' in result.died[0]


def test_network_goes_down(archive: Archive, scripts_archive: Runner) -> None:
    """With the index read, older versions are not gone through."""
    archive.add('trixie', 'busybox-static', 'ppc64el', '1',
                usr__bin__busybox=b'busybox')
    for minor in range(20):
        archive.add_kernel('trixie', f'6.12.{minor}-1')
    archive.publish()
    assert scripts_archive('busybox-ppc64').status == 0
    # The index is as if it came from the address that does not answer.
    sources = Path(scripts_archive.environment['RAS_CACHE']) / \
        'apt/trixie/sources.list'
    sources.write_text(sources.read_text().replace(
        f'file:{archive.top}/', DOWN))
    result = scripts_archive('kernel-ppc64', RAS_ARCHIVE=DOWN)
    assert result.status == 1
    assert result.errors.count('fetching linux-image') == 1
    assert len(result.died) == 1
    assert 'Is the network there?' in result.died[0]


def test_input_is_not_read(archive: Archive, scripts_archive: Runner) -> None:
    """A terminal is a standard input that does not end."""
    archive.add_kernel('trixie', '6.12.117-1')
    archive.publish()
    with subprocess.Popen([TOP / 'scripts' / 'archive', 'kernel-ppc64'],
                          env=scripts_archive.environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        # Its standard input stays open until it is done.
        assert process.stdout.readline().startswith(
            scripts_archive.environment['RAS_CACHE'])
        assert process.wait() == 0


def test_many_at_once(archive: Archive, scripts_archive: Runner) -> None:
    """Runs that start with the same empty cache share it."""
    archive.add_kernel('trixie', '6.12.117-1')
    archive.publish()
    processes = [subprocess.Popen([TOP / 'scripts' / 'archive', 'kernel-ppc64'],
                                  env=scripts_archive.environment,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
                 for _ in range(6)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, outputs
    assert len({output for output, _ in outputs}) == 1


def test_missing_and_no_network(archive: Archive,
                                scripts_archive: Runner) -> None:
    """What was missing before is missing, if nobody can look again."""
    add_kexec(archive, 'trixie', '1')[0].unlink()
    archive.publish()
    assert scripts_archive('kexec-ppc64').status == CANNOT_BE_HAD
    result = scripts_archive('kexec-ppc64', RAS_ARCHIVE=DOWN)
    assert result.status == CANNOT_BE_HAD
    assert 'kexec-tools 1 of trixie' in result.output
    # Then it is there.
    add_kexec(archive, 'trixie', '2')
    archive.publish()
    assert scripts_archive('kexec-ppc64').read('usr/sbin/kexec') == 'kexec 2'


def test_update_that_was_interrupted(archive: Archive,
                                     scripts_archive: Runner) -> None:
    """An index that was read, but not made use of, is made use of."""
    archive.add_kernel('trixie', '6.12.107-1')
    archive.publish()
    assert scripts_archive('kernel-ppc64').status == 0
    folder = Path(scripts_archive.environment['RAS_CACHE']) / 'apt/trixie'
    archive.add_kernel('trixie', '6.12.117-1')
    archive.publish()
    run('apt-get', '-c', folder / 'apt.conf', '-q', 'update')
    assert f'now {IMAGE.format(117)}' in scripts_archive('update').errors


def test_no_such_group(scripts_archive: Runner) -> None:
    """A word that means nothing is an error."""
    assert scripts_archive('fetch', 'everything').status == 1
