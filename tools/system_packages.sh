#!/bin/sh
# Install the system tools that some tests use, where we may. Never fails: a test without its tool is skipped by name.
# With arguments only those of these commands.
PATH=$PATH:/usr/sbin:/sbin
missing=""
only=" $* "

need() { # command, package
    case "$only" in "  " | *" $1 "*) ;; *) return ;; esac
    command -v "$1" >/dev/null || missing="$missing $2"
}

need git git
need jq jq
need strace strace
need mkfs.xfs xfsprogs
need mkfs.btrfs btrfs-progs
need mkfs.ext4 e2fsprogs
need losetup mount
need unshare util-linux
need gcc "gcc libc6-dev"
need node nodejs
need npm npm
need chromium chromium

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing:$missing …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null || echo "Not installed; what needs them is left out."
else
    echo "Not here, so what needs them is left out:$missing"
fi
exit 0
