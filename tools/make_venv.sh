#!/bin/sh
# Make a virtual environment at $1 with the first Python >= 3.11 that can. On Debian as root, install what is missing.
set -u
venv=$1

can_make_venv() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in python3.13 python3.12 python3.11 python3; do
        if "$1" "$python"; then
            echo "$python"
            return
        fi
    done
    return 1
}

if "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
    exit 0
fi

if ! python=$(find_python can_make_venv); then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv …"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq && apt-get install -y -qq python3 python3-venv
    fi
    if ! python=$(find_python can_make_venv); then
        if python=$(find_python is_new_enough); then
            echo "$python has no venv module. On Debian: apt-get install python3-venv. Then call make again." >&2
        else
            echo "runfolio needs Python 3.11 or newer, and none of python3.13, python3.12, python3.11, python3 is." >&2
            echo "Install one (on Debian 12: apt-get install python3 python3-venv), then call make again." >&2
        fi
        exit 1
    fi
fi

echo "Making $venv with $("$python" --version) …"
exec "$python" -m venv --clear "$venv"
