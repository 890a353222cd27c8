#!/bin/sh
# tool.sh NAME: prints the path of the tool whose module is tools/NAME, building
# it into bin/tools/ when it is not there for that go.mod. A module a tool, so
# that nothing is downloaded for the others.
set -eu
name=$1
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
module=$root/tools/$name
sum=$(cksum <"$module/go.mod" | tr -d ' ')
binary=$root/bin/tools/$name-$sum
if [ ! -x "$binary" ]; then
  echo "building $name from tools/$name (once)" >&2
  package=$(GOWORK=off go -C "$module" list tool)
  GOWORK=off go build -C "$module" -o "$binary.$$" "$package"
  mv "$binary.$$" "$binary" # at once, whoever else builds or runs it
fi
echo "$binary"
