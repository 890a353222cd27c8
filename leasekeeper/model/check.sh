#!/bin/sh
# Checks the models exhaustively, and that they can fail: every cure that is
# removed must give a counterexample. Installs nothing; without spin or a C
# compiler it says so and ends well. Usage: check.sh [quick]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v spin >/dev/null && command -v gcc >/dev/null || {
	echo "model: SKIPPED: needs spin and gcc (Debian: apt-get install spin gcc)"
	exit 0
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
failed=0

# run MODEL [-D…]: builds and runs the verifier, leaves its output in ./out.
run() {
	model=$1
	shift
	spin -a "$@" "$here/$model.pml" >out 2>&1 &&
		gcc -w -O2 -DSAFETY -DNOREDUCE -DCOLLAPSE -DMEMLIM=6000 -o pan pan.c >>out 2>&1 &&
		./pan -m12000000 >>out 2>&1 || true
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
	seconds=$(sed -n 's/.*elapsed time \([0-9.e-]*\) seconds.*/\1/p' out)
	rm -f ./*.trail
}

holds() {
	run "$@"
	if grep -q 'errors: 0' out && ! grep -qE 'too small|out of memory|truncated|reached DFS' out; then
		printf 'ok    %-52s holds in all %s states, %s s\n' "$*" "$states" "$seconds"
	else
		printf 'FAIL  %-52s\n' "$*"
		cat out
		failed=1
	fi
}

breaks() {
	run "$@"
	if grep -q 'assertion violated' out; then
		printf 'ok    %-52s counterexample after %s states\n' "$*" "$states"
	else
		printf 'FAIL  %-52s no counterexample\n' "$*"
		failed=1
	fi
}

holds checkpoint
breaks checkpoint -DNO_S1
holds contract -DK=4
for cure in NO_S10 NO_S11 NO_REVISION NO_SEND_TIME; do
	breaks contract "-D$cure"
done
holds lease -DN=2 -DK=2
holds lease -DN=2 -DK=3
for cure in NO_MARGIN NO_EVICTION NO_EVICT_CONDITION NO_DRAIN NO_A8 NO_S2 NO_S3 NO_S4 NO_S5 NO_S7 NO_S8; do
	breaks lease -DN=2 "-D$cure"
done
breaks lease -DN=2 -DNO_S5 -DNO_S6
[ "${1:-}" = quick ] || holds lease -DN=3 -DK=2 -DKEEP_ROWS
[ $failed = 0 ] && echo "model: every check ended as it must"
exit $failed
