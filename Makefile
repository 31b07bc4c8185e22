# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of the README. All work is done in scripts/.

PREFIX ?= /usr/local

# Elapsed times in all progress lines count from here.
RAS_T0 := $(shell date +%s)
export RAS_T0 PREFIX DESTDIR
ifdef BASE
export BASE
endif

# Levels for another base; of the tests with guests only a part.
SECOND := qtest@second core@second

# Status 3: there is no such QEMU in the archive, and a line has said so. That is
# no failure: what a mirror has changes from day to day.
OR_SKIP := || [ $$? = 3 ]

# The scripts share the processors out themselves.
.NOTPARALLEL:

.PHONY: help
help: ## show this list
	@echo 'usage: make TARGET'
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/  \1\t\2/p' Makefile | expand -t 20
	@echo
	@echo 'variables (after "make TARGET" or in the environment):'
	@echo '  MACHINE=...       for "make demo": arm64 or ppc64 only'
	@echo '  IMAGE=FILE        for "make demo": the disk of a guest of your own'
	@echo '  BASE=RELEASE      the QEMU to build on: $(notdir $(wildcard series/*)) (10.0)'
	@echo '  QEMU_SRC=DIR      a source tree of that release, instead of the one of Debian'
	@echo '  PREFIX=DIR        where to install ($(PREFIX)); DESTDIR is honoured'
	@echo '  RAS_CACHE=DIR     where all that is made is kept (~/.cache/qemu-ras)'
	@echo '  RAS_JOBS=N        how many things to do at once (number of processors)'
	@echo '  RAS_ARCHIVE=URI   another Debian archive than that of this machine'
	@echo '  RAS_CONFIGURE=... more options for the configure script of QEMU'

.PHONY: demo
demo: ## build all, then let a guest of each machine survive a memory error
	@scripts/demo $(OR_SKIP)

.PHONY: check check-unit check-tools check-scripts check-qtest check-functional check-kvm check-long
.PHONY: check-series check-packages check-libvirt check-comparison check-smoke
check: ## tests of all levels but kvm, packages, series and long
	@scripts/check unit tools scripts qtest functional libvirt $(OR_SKIP)
check-unit: ## tests of the pure files; of QEMU, decodetree.py is fetched
	@scripts/check unit
check-tools: ## tests of rasctl, without QEMU
	@scripts/check tools
check-scripts: ## tests of what gets packages from the archive
	@scripts/check scripts
check-qtest: ## tests of both machines, without a guest
	@scripts/check qtest $(OR_SKIP)
check-functional: ## tests with Linux guests
	@scripts/check functional $(OR_SKIP)
check-libvirt: ## tests with libvirt 9.0 and 11.3, each in a Debian of its own
	@scripts/check libvirt $(OR_SKIP)
check-series: ## builds and tests each commit of the series
	@scripts/check-series $(OR_SKIP)
check-packages: ## packages are installed, used and removed in new systems (as root)
	@scripts/check-packages
check-comparison: ## what the manual says of stock QEMU 10.0 and 10.2 is measured
	@scripts/check-comparison
check-long: ## fuzzing, round trips, mutants, check-series, -packages, -libvirt, -comparison, -kvm
	@scripts/check-long
	@scripts/check $(SECOND)
	@RAS_OTHER_BASE=10.2 PYTEST_ADDOPTS='-k other_base' scripts/check functional
	@scripts/mutants
	@scripts/check-series
	@scripts/check-packages
	@scripts/check libvirt
	@scripts/check-comparison
	@RAS_RESETS=200 RAS_EVACUATIONS=200 scripts/check kvm
check-smoke: ## one of these tests on each machine
	@scripts/check smoke $(OR_SKIP)
check-kvm: ## tests with errors of the host's memory, under KVM in an emulated host
	@scripts/check kvm $(OR_SKIP)

.PHONY: qemu qemu-stock
qemu: ## build QEMU with guest RAS
	@scripts/setup
	@scripts/archive fetch build
	@scripts/qemu ras $(OR_SKIP)
qemu-stock: ## build the QEMU that this is based on, to compare with
	@scripts/setup
	@scripts/archive fetch build
	@scripts/qemu stock $(OR_SKIP)

.PHONY: install uninstall deb
install: ## install PREFIX/bin/qemu-ras-system-*, beside the distribution's, and rasctl
	@scripts/install $(OR_SKIP)
uninstall: ## remove what "install" has installed
	@scripts/install uninstall
deb: ## Debian packages, for the release of this machine, in build/deb
	@scripts/deb

.PHONY: bench mutants
mutants: ## wrong lines of the product, each of which a test has to notice
	@scripts/mutants
bench: ## speed and size, as ratios against stock QEMU of the same run
	@scripts/bench

.PHONY: patches lint coverage docs check-fresh
patches: ## the series for "git am" on the base, in build/patches
	@scripts/patches $(OR_SKIP)
lint: ## checkpatch, shellcheck, gcc and clang with -Werror
	@scripts/lint $(OR_SKIP)
coverage: ## line coverage of the pure files
	@scripts/coverage
docs: ## the manual as HTML, in build/docs
	@scripts/docs
check-fresh: ## demo and check in new Debian 12 and 13 systems (as root, 2 hours)
	@scripts/check-fresh

.PHONY: update clean clean-cache
update: ## look for newer point releases of QEMU, kernels and firmware
	@scripts/archive update
clean: ## remove what was made in the checkout
	rm -rf build
clean-cache: ## remove all that was made and downloaded
	@scripts/clean-cache
