#!/bin/sh
# Builds the archive that krew installs, for this platform: ci/krew/build.sh FOLDER; prints its path.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$1
os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/meshcheck/lib"
pip() { "${PYTHON:-python3}" -m pip --disable-pip-version-check install --quiet --no-compile "$@"; }
pip --target "$work/meshcheck/lib" "$root[cluster]"
# Some libraries have files for one version of Python only: those of the other versions lie beside this one's.
pinned=$("${PYTHON:-python3}" - "$work/meshcheck/lib" <<'END'
import sys
from importlib.metadata import distributions

for found in distributions(path=sys.argv[1:]):
    if any(".cpython-" in file.name for file in found.files or ()):
        print(f"{found.name}=={found.version}")
END
)
for version in 3.11 3.12 3.13 3.14; do
  # shellcheck disable=SC2086 # a list of words
  pip --target "$work/$version" --no-deps --only-binary=:all: --python-version "$version" $pinned
  (cd "$work/$version" && find . -name '*.cpython-*' | tar -cf - -T -) | tar -C "$work/meshcheck/lib" -xf -
done
rm -rf "$work/meshcheck/lib/bin"
cp "$root/ci/krew/kubectl-meshcheck" "$root/LICENSE" "$work/meshcheck/"
chmod 755 "$work/meshcheck/kubectl-meshcheck"
archive="$out/meshcheck-$os-$arch.tar.gz"
tar -C "$work/meshcheck" -czf "$archive" .
echo "$archive"
