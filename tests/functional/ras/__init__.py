# SPDX-License-Identifier: GPL-2.0-or-later
"""Harness of the functional tests: real Linux guests under TCG.

environment  where everything is (environment variables RAS_*)
targets      what differs between the machines
initramfs    builds the guest's initramfs from ../guest and busybox
qemu         one QEMU process: QMP, console, logs
stream       lines of a socket, with the time of their arrival
agent        commands to the program that is PID 1 of the guest
guest        a booted guest: victims, injection, accounting
cper         error records for ras-inject, kind cper
gdb          holds one vCPU through QEMU's gdbstub
oracles      what the guest's kernel is expected to say and do
cases        the test cases, written once for all machines
"""
