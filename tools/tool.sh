#!/bin/sh
# tool.sh NAME: prints the path of a tool of tools/go.mod, building it into
# bin/tools/ when it is not there for this go.mod.
set -eu
name=$1
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
sum=$(cksum <"$root/tools/go.mod" | tr -d ' ')
binary=$root/bin/tools/$name-$sum
if [ ! -x "$binary" ]; then
  echo "building $name from tools/ (once)" >&2
  package=$(GOWORK=off go -C "$root/tools" list tool | grep "/$name\$")
  GOWORK=off go build -C "$root/tools" -o "$binary" "$package"
fi
echo "$binary"
