#!/usr/bin/env bash
# `make demo` in fresh installations of Debian, each in a folder of its own:
#
#   sudo tests/distributions.sh trixie forky
#
# It needs root, debootstrap and the internet, and some 3 GB of disk for each. MIRROR is where packages come from,
# FOLDER where the installations are made and left (default: a temporary folder, which is removed). Settings of pip and
# certificates are those of this machine.
set -euo pipefail
source="$(cd "$(dirname "$0")/.." && pwd)"
MIRROR="${MIRROR:-http://deb.debian.org/debian}"
if [ -z "${FOLDER:-}" ]; then
  FOLDER="$(mktemp -d)"
  trap 'rm -rf "$FOLDER"' EXIT
fi
PACKAGES=python3-venv,make,ca-certificates,libgomp1,libquadmath0,libgl1,libglib2.0-0t64,libxcb1

# inside ROOT with /proc, which is gone with the command
within() { unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$@"' within "$@"; }

for suite in "$@"; do
  root="$FOLDER/$suite"
  if [ ! -x "$root/usr/bin/python3" ]; then # sid's script fits suites that are newer than debootstrap
    debootstrap --variant=minbase "--include=$PACKAGES" "$suite" "$root" "$MIRROR" /usr/share/debootstrap/scripts/sid
  fi
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
    if [ -f "$file" ]; then cp -L "$file" "$root$file"; fi
  done
  rm -rf "$root/gluon_attn" && mkdir "$root/gluon_attn"
  git -C "$source" archive HEAD | tar -x -C "$root/gluon_attn"
  echo "== $suite: Debian $(cat "$root/etc/debian_version"), $(chroot "$root" python3 --version)"
  within "$root" make -C /gluon_attn demo PYTHON=python3
  within "$root" /gluon_attn/.venv/bin/gluon-attn doctor
done
