# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian system in a folder, as a VM: for what needs a kernel of its own.

AppArmor is one: the kernel of this machine may not have it, and what it enforces is
for all of the machine.  The kernel is Debian's, of the system itself; what runs it is
Debian's QEMU, as ours has no x86.  A script takes the place of the first process; what
it prints is on the console.
"""

import subprocess
import time
from pathlib import Path

from ras import environment
from system import System

# Seconds without a word, before they are stretched: a machine is emulated that
# emulates a machine.
SILENCE = 300
INIT = '''#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
ip link set lo up 2>/dev/null
dmesg -n 1
sh -e /test 2>&1
echo "status $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
'''


def install_kernel(system: System) -> None:
    """Debian's, and an initrd with the driver of the disk."""
    system.apt_get('install linux-image-cloud-amd64')


def make_image(system: System, image: Path) -> None:
    """A disk with all of the system, without what is mounted there."""
    tree = image.with_suffix('.tree')
    tree.mkdir()
    subprocess.run(['mount', '--bind', system.root, tree], check=True)
    try:
        size = int(subprocess.run(
            ['du', '-sxm', tree], check=True, stdout=subprocess.PIPE,
            text=True).stdout.split()[0])
        subprocess.run(
            ['mke2fs', '-q', '-t', 'ext4', '-E', 'root_owner=0:0', '-d', tree,
             image, f'{size * 5 // 4 + 512}M'], check=True)
    finally:
        subprocess.run(['umount', tree], check=True)
        tree.rmdir()


def run(system: System, script: str, folder: Path, log: Path) -> str:
    """What @script prints in the system, which must end with status 0."""
    for name, text in (('test', script), ('test-init', INIT)):
        system.file(name).write_text(text, encoding='utf-8')
        system.file(name).chmod(0o755)
    image = folder / 'disk'
    make_image(system, image)
    boot = system.file('/boot')
    kernel, = boot.glob('vmlinuz-*')
    initrd, = boot.glob('initrd.img-*')
    # The disk is of no use afterwards.
    command = [
        # Not KVM: where there is one, it need not be able to run this.
        'qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'qemu64', '-smp', '2',
        '-m', '2560', '-nodefaults', '-no-reboot', '-display', 'none',
        '-kernel', str(kernel), '-initrd', str(initrd), '-append',
        'root=/dev/vda rw init=/test-init console=ttyS0 panic=-1',
        '-drive', f'if=virtio,format=raw,cache=unsafe,file={image}',
        '-serial', f'file:{log}']
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            heard, last = 0, time.monotonic()
            while process.poll() is None:
                time.sleep(0.2)
                size = log.stat().st_size if log.exists() else 0
                if size != heard:
                    heard, last = size, time.monotonic()
                assert time.monotonic() - last < \
                    SILENCE * environment.time_factor(), said(log)
        finally:
            process.kill()
    image.unlink()
    assert '\nstatus 0\n' in said(log), said(log)
    return said(log)


def said(log: Path) -> str:
    """The console so far."""
    return log.read_text(encoding='utf-8', errors='replace').replace(
        '\r', '') if log.exists() else ''
