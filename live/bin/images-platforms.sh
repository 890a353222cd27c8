#!/usr/bin/env bash
# images-platforms.sh: publishes the three images as a release does, with
# images.sh push as it is, and looks at what is in the registry then: one index
# of linux/amd64 and linux/arm64 each, the binary of either of that machine,
# static and saying its version, the labels, the user, the size. Published again
# it must stay as it is. Real are docker buildx, BuildKit and the registry, on
# 127.0.0.1; made up are what AWS would say, and docker login.
#
# buildx and BuildKit are built from their modules, once: minutes of both cores.
# Where the machine lacks something the test is skipped, and says so;
# INFRA_REQUIRE=1 makes that a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/buildkit.sh"
. "$(dirname "$0")/stand-ins.sh"

version=9.8.7 account=111122223333
host=$account.dkr.ecr.$(setting _global region).amazonaws.com
work=$(mktemp -d)

clean_up() {
  stop_buildkit
  rm -rf "$work"
}
trap clean_up EXIT

# released_tree FOLDER: the work tree as it is, as a repository with one tag for
# each binary, and with an account.
released_tree() {
  local binary
  mkdir "$1"
  git -C "$root" ls-files -co --exclude-standard | tar -C "$root" --ignore-failed-read -T - -cf - 2>/dev/null | tar -C "$1" -xf -
  sed -i "s/\"123456789012\"/\"$account\"/" "$1/live/_global/env.hcl"
  git -C "$1" init -q
  git -C "$1" add .
  git -C "$1" -c user.name=Test -c user.email=test@example.com -c commit.gpgsign=false commit -qm "as it is"
  for binary in "${binaries[@]}"; do git -C "$1" tag "$binary/v$version"; done
}

# fakes FOLDER: an aws that knows the account and looks for images in our
# registry, and a docker that logs in nowhere and hands buildx on.
fakes() {
  mkdir "$1"
  cat >"$1/aws" <<-END
	#!/usr/bin/env bash
	args=" \$* "
	case \$args in
	  *" sts "*) echo $account ;;
	  *" get-login-password "*) echo secret ;;
	  *" describe-images "*)
	    repository=\${args#* --repository-name } tag=\${args#* imageTag=}
	    curl -sf --head -H 'Accept: application/vnd.oci.image.index.v1+json' \
	      "http://$registry/v2/\${repository%% *}/manifests/\${tag%% *}" | sed -n 's/^Docker-Content-Digest: //p' | grep . && exit
	    echo ImageNotFoundException >&2
	    exit 254
	    ;;
	esac
	END
  cat >"$1/docker" <<-END
	#!/bin/sh
	case \$1 in
	  version) echo 0 ;;
	  login) cat >/dev/null ;;
	  *) exec $(command -v docker) "\$@" ;;
	esac
	END
  chmod +x "$1/aws" "$1/docker"
}

step "tools"
lacking=$(lacks_for_buildkit)
if [ -n "$lacking" ]; then
  [ -z "${INFRA_REQUIRE:-}" ] || die "$lacking, and INFRA_REQUIRE is set"
  say "SKIP: images for two platforms were not built: $lacking"
  exit 0
fi
start_buildkit
base_images amd64 arm64

step "publish"
released_tree "$work/tree"
fakes "$work/bin"
for binary in "${binaries[@]}"; do
  PATH=$work/bin:$PATH "$work/tree/live/bin/images.sh" push "$binary" "$version" >"$work/push.log" 2>&1 ||
    { tail -n 30 "$work/push.log" && die "$binary cannot be published"; }
  tail -n 1 "$work/push.log"
done

step "look"
(cd "$root/e2e" && GOWORK=off go build -o "$work/imagecheck" ./infra/imagecheck)
revision=$(git -C "$work/tree" rev-parse HEAD)
for binary in "${binaries[@]}"; do
  "$work/imagecheck" index "http://$registry/v2/$(repository "$binary")" "$version" "$revision" "$(qemu)"
  PATH=$work/bin:$PATH "$work/tree/live/bin/images.sh" push "$binary" "$version" 2>&1 | grep "stays as it is" || die "$binary was published again"
done
say "infra:images-platforms: passed in $SECONDS s"
