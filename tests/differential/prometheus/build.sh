#!/bin/sh
# Builds promtool and pushgateway from Go's module proxy, once, into a cache folder, and prints that folder:
#
#     export MESHCHECK_PROMETHEUS="$(sh build.sh)"
#
# Neither can be built with `go install`: one has replace directives, the other lists no versions. Needs Go >= 1.23.
set -eu
promtool=github.com/prometheus/prometheus@v0.305.0
pushgateway=github.com/prometheus/pushgateway@v1.11.1
out=${XDG_CACHE_HOME:-$HOME/.cache}/meshcheck-prometheus/${promtool#*@}-${pushgateway#*@}
go=$(command -v go || echo /usr/local/go/bin/go)
mkdir -p "$out"
for each in "promtool $promtool ./cmd/promtool" "pushgateway $pushgateway ."; do
  set -- $each
  [ -x "$out/$1" ] && continue
  echo "building $1 ($2)" >&2
  work=$(mktemp -d)
  (
    cd "$work"
    folder=$("$go" mod download -json "$2" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
    cp -r "$folder" source && chmod -R u+w source && cd source
    GOFLAGS=-mod=mod "$go" build -o "$out/.$1.$$" "$3"
  ) >&2
  mv "$out/.$1.$$" "$out/$1"
  rm -rf "$work"
done
echo "$out"
