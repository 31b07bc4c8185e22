# shellcheck shell=bash disable=SC2034 # the scripts use the variables
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What all scripts share: progress lines, the cache, its locks and its entries.
#
# The cache holds two kinds of things. An *entry* is immutable: it is made in
# a folder below new/, gets a manifest (SHA256SUMS) and is renamed into place,
# so it is either complete or absent, and every use checks it.
# Everything below work/ is mutable (build folders, the repository the sources
# are composed in) and is only touched by the holder of its lock.

set -euo pipefail
shopt -s inherit_errexit nullglob

# Sorting, messages that are parsed, and pattern ranges must not depend on
# where the user lives.
export LC_ALL=C.UTF-8
# Nothing here runs Python from the user's own environment.
unset PYTHONPATH PYTHONHOME

HOME=${HOME:-~}
export HOME
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
RAS_CACHE=${RAS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qemu-ras}
case $RAS_CACHE in /*) ;; *) RAS_CACHE=$PWD/$RAS_CACHE ;; esac
RAS_T0=${RAS_T0:-$(date +%s)}
RAS_JOBS=${RAS_JOBS:-$(nproc)}
export RAS_CACHE RAS_T0 RAS_JOBS

# The version of qemu-ras; debian/changelog has it, and nothing else. Packages
# that are no release add to it which commit they were built from (scripts/deb).
project_version() {
    sed -nE '1s/^qemu-ras \(([^)~+]*).*/\1/p' "$top/debian/changelog"
}

# The QEMU release to build on, one of the folders in series/, and the Debian
# release whose packages are used.
default_series=10.0
# Another one, which "make check" tests as well, and which guests move to and from.
second_series=10.2
series=${BASE:-$default_series}
suite=trixie
if ! [ -r "$top/series/$series/series" ]; then
    printf 'qemu-ras: there is no series for QEMU %s, but for: %s\n' \
        "$series" "$(cd "$top/series" && echo *)" >&2
    exit 1
fi

# The folders whose contents land in the QEMU tree. Everything else in the
# checkout belongs to the project and not to QEMU.
overlay_dirs=(accel docs/devel docs/system hw include migration qapi target tests/qtest tests/unit/oracle)

# Standard output belongs to results, so progress goes to standard error.
say() {
    local t=$(($(date +%s) - RAS_T0))
    printf '[%2d:%02d] %s\n' $((t / 60)) $((t % 60)) "$*" >&2
}

die() {
    printf 'qemu-ras: %s\n' "$*" >&2
    exit 1
}

# For compilers that are called through ccache: the same content in two folders
# is compiled once. CCACHE_BASEDIR has to be set to what differs.
export CCACHE_DIR=$RAS_CACHE/ccache CCACHE_MAXSIZE=3G CCACHE_NOHASHDIR=1

case $RAS_CACHE in
*[[:space:]:]*) die "QEMU cannot be built in $RAS_CACHE: no blanks and colons, please (RAS_CACHE)" ;;
esac

# What can only be read will do as long as nothing has to be made.
cannot_write() {
    die "cannot write to $1, and $2 has yet to be made; does it belong to another user, or is it mounted read-only? RAS_CACHE names another folder for the cache"
}

# Hold the lock FILE until this (sub)shell ends or closes the descriptor locked;
# NAME is what users are told. A child that outlives a killed script inherits it,
# so nobody builds where an orphan still writes.
lock_file() {
    local file=$1 name=$2 fd
    { exec {fd}>"$file"; } 2>/dev/null || cannot_write "${file%/*}" "$name"
    if ! flock -n "$fd"; then
        say "waiting: another run is busy with $name"
        flock "$fd"
    fi
    locked=$fd
}

# Hold the lock NAME of the cache.
lock() {
    mkdir -p "$RAS_CACHE/lock" 2>/dev/null || cannot_write "$RAS_CACHE" "$1"
    lock_file "$RAS_CACHE/lock/${1//\//:}" "$1"
}

# Hold the lock on folder NAME in build/ of this checkout and go there. It is
# not in the cache: runs with different caches may share a checkout.
lock_build() {
    mkdir -p "$top/build/$1"
    lock_file "$top/build/$1.lock" "build/$1"
    cd "$top/build/$1"
    export CCACHE_BASEDIR=$top
}

# The files of the entry in the current folder. Python may leave its own.
entry_files() {
    find . -type f ! -path ./SHA256SUMS ! -name '*.pyc' -print0 | sort -z
}

# Is the current folder as its manifest says? The count is for a manifest that
# was cut off.
check_manifest() {
    sha256sum --quiet --strict -c SHA256SUMS 2>&1 || return
    [ "$(entry_files | tr -dc '\0' | wc -c)" = "$(wc -l <SHA256SUMS)" ] || {
        echo 'files that are not in the manifest'
        return 1
    }
}

# Is cache entry NAME there and as it was made? What is wrong with it is told
# to standard error.
intact() {
    local dir=$RAS_CACHE/$1 why
    [ -d "$dir" ] || return 1
    if ! [ -s "$dir/SHA256SUMS" ]; then
        why='no manifest'
    elif why=$(cd "$dir" && check_manifest); then
        return 0
    fi
    say "cache entry $1 is damaged (${why%%$'\n'*}); it is made again"
    return 1
}

# After a failure: a full disk shows in too many ways, and rarely in the last line.
hint_at_full_disk() {
    local free
    free=$(df -Pm "$RAS_CACHE" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge 100 ] ||
        say "only $free MB are free for $RAS_CACHE, which needs 3 GB; name another folder in RAS_CACHE"
}

# Make sure of cache entry NAME. The command that follows fills it: it runs
# with an empty current folder that becomes the entry.
# Never call this in a condition: bash would then ignore failing commands.
entry() {
    local entry_name=$1 entry_dir=$RAS_CACHE/$1 entry_new=$RAS_CACHE/new/${1//\//:}
    shift
    if intact "$entry_name" 2>/dev/null; then
        # What was used last survives pruning.
        touch "$entry_dir" 2>/dev/null || true
        return 0
    fi
    (
        # An entry may need another one; say it once.
        [ -n "${in_entry:-}" ] || trap '[ $? = 0 ] || hint_at_full_disk' EXIT
        in_entry=yes
        lock "$entry_name"
        if ! intact "$entry_name"; then
            rm -rf "$entry_dir" "$entry_new"
            mkdir -p "$entry_new" "${entry_dir%/*}"
            cd "$entry_new"
            "$@"
            entry_files | xargs -0 sha256sum >"$entry_new.sums"
            mv "$entry_new.sums" SHA256SUMS
            mv -T "$entry_new" "$entry_dir"
        fi
    )
}

# Remove what has not been used for a while below cache folder DIR: all but
# the KEEP newest entries that are older than DAYS.
prune() {
    local dir=$RAS_CACHE/$1 keep=$2 days=$3 old
    [ -w "$dir" ] || return 0
    mkdir -p "$RAS_CACHE/lock"
    find "$dir" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn |
        tail -n +$((keep + 1)) | cut -d' ' -f2- |
        while read -r old; do
            if [ -n "$(find "$old" -maxdepth 0 -mtime +"$((days - 1))")" ]; then
                # What is made at this moment may have old dates, too.
                flock -n "$RAS_CACHE/lock/${old##*/}" rm -rf "$old" || true
            fi
        done
}

# git for the repositories in the cache: no influence of the user's settings
# (line endings, signing, hooks, ignored files), and reproducible commits.
cache_git() {
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
    GIT_AUTHOR_NAME=${author_name:-qemu-ras} \
    GIT_AUTHOR_EMAIL=${author_email:-qemu-ras@localhost} \
    GIT_COMMITTER_NAME=qemu-ras GIT_COMMITTER_EMAIL=qemu-ras@localhost \
    GIT_AUTHOR_DATE=${author_date:-2000-01-01T00:00:00Z} \
    GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
        git -c gc.auto=0 -c core.excludesFile=/dev/null \
            -c core.attributesFile=/dev/null "$@"
}

# Print a new commit in repository GIT whose tree is source folder SRC. INDEX
# remembers what the files looked like, so that the next time is quick.
import_tree() {
    local git=$1 src=$2 message=$3 index=$4 build tree
    local skip=(-name .git -o -path "$src/roms/*/*")
    # Build folders inside the source are not source. Neither is needed what
    # lies below roms/: the source of firmware that we take ready-made.
    while read -r build; do
        skip+=(-o -path "${build%/*}")
    done < <(find "$src" -mindepth 2 -maxdepth 3 -name build.ninja)
    export GIT_INDEX_FILE=$index
    cache_git --git-dir="$git" --work-tree="$src" ls-files -z |
        cache_git --git-dir="$git" --work-tree="$src" update-index -z --remove --stdin
    find "$src" \( "${skip[@]}" \) -prune -o \( -type f -o -type l \) -printf '%P\0' |
        cache_git --git-dir="$git" --work-tree="$src" update-index -z --add --stdin
    tree=$(cache_git --git-dir="$git" write-tree)
    unset GIT_INDEX_FILE
    cache_git --git-dir="$git" commit-tree -m "$message" "$tree"
}

# Bring source folder WORK/src to COMMIT of repository GIT. Files that do not
# differ are not touched, so that a build after a change is as short as it can
# be. The caller holds the lock on WORK.
checkout_tree() {
    local git=(cache_git --git-dir="$1" --work-tree="$3/src") commit=$2 work=$3
    export GIT_INDEX_FILE=$work/index
    mkdir -p "$work/src"
    # Left by a run that was killed.
    rm -f "$work/index.lock"
    "${git[@]}" update-index -q --refresh >/dev/null 2>&1 || true
    "${git[@]}" read-tree --reset -u "$commit" 2>"$work/checkout.out" || {
        # Whatever is wrong there, nothing in it is worth keeping.
        rm -rf "$work/index" "$work/src"
        mkdir "$work/src"
        "${git[@]}" read-tree --reset -u "$commit" ||
            die "cannot write the source to $work/src; if the disk is not full, remove $RAS_CACHE/work"
    }
    unset GIT_INDEX_FILE
}

# Print the assignment of VARIABLE to what THING of scripts/archive is, or to
# its FILE; if it cannot be had, that of RAS_MISSING_... to the reason.
from_archive() {
    local variable=$1 thing=$2 file=${3:-} value status=0
    value=$("$top/scripts/archive" "$thing") || status=$?
    case $status in
    0) printf 'export %s=%q\n' "$variable" "$value${file:+/$file}" ;;
    3) printf 'export %s=%q\n' "RAS_MISSING_${variable#RAS_}" "$value" ;;
    *) exit 1 ;;
    esac
}
