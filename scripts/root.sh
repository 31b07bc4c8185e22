# shellcheck shell=bash disable=SC2154 # lib.sh sets the variables
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian systems in a folder, to build packages in and to try them, for scripts
# that have sourced lib.sh. Needs root, for debootstrap and chroot.

# To be raised when systems are made differently than before.
root_recipe=2

# Run COMMAND where the systems in ROOTS have /proc, /sys and /dev, and the FOLDERS of
# this machine at the same paths (both are lists, separated by blanks). The
# mounts belong to a namespace that ends with the command, however that ends,
# together with all of its processes.
in_roots() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child --mount-proc bash -euc '
        for root in $1; do
            # What does something to the mounts there needs one at "/".
            mount --bind "$root" "$root"
            mount -t proc proc "$root/proc"
            mount --bind -o ro /sys "$root/sys"
            mount --rbind /dev "$root/dev"
            for folder in $2; do
                mkdir -p "$root$folder"
                mount --bind "$folder" "$root$folder"
            done
        done
        shift 2
        # Not in the place of this shell, which as the first process there waits
        # for those whose parents have ended.
        status=0
        "$@" || status=$?
        exit $status' bash "$@" </dev/null
}

# Run a shell COMMAND in the system in ROOT, with FOLDERS.
run_in_root() {
    in_roots "$1" "$2" chroot "$1" env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        sh -c "$3"
}

# Fill the current folder with a system of release SUITE that has PACKAGEs.
make_root() {
    local suite=$1 uri proxy='' log=$PWD.log
    shift
    uri=$("$top/scripts/archive" uri)
    # Whatever this machine needs to reach its archive.
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    export http_proxy=${http_proxy:-$proxy}
    say "making a Debian $suite system"
    debootstrap --variant=minbase --include=ca-certificates "$suite" root "$uri" >"$log" 2>&1 ||
        die "debootstrap of $suite failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
    apt-config dump | grep -E '^Acquire::(https?::|Check-|Force)' >root/etc/apt/apt.conf.d/90machine || true
    # Nobody needs it after a crash, so dpkg need not wait for the disk.
    echo force-unsafe-io >root/etc/dpkg/dpkg.cfg.d/90unsafe
    cp -L /etc/resolv.conf /etc/hosts root/etc/
    if [ $# != 0 ]; then
        say "installing $# packages there"
        run_in_root "$PWD/root" '' "apt-get -q update && apt-get -qy install --no-install-recommends $*" >>"$log" 2>&1 ||
            die "installing packages in a Debian $suite system failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
    fi
    rm -rf root/var/cache/apt/archives/*.deb
    tar -cf root.tar -C root .
    rm -rf root "$log"
}

# Make FOLDER a fresh system of release SUITE that has PACKAGEs.
fresh_root() {
    local dir=$1 suite=$2 key
    shift 2
    key=$(printf '%s\n' "$root_recipe" "$*" | sha256sum | cut -c1-16)
    entry "root/$suite-$key" make_root "$suite" "$@"
    rm -rf "$dir"
    mkdir -p "$dir"
    tar -xf "$RAS_CACHE/root/$suite-$key/root.tar" -C "$dir"
}
