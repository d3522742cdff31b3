#!/usr/bin/env bash
# Builds what is missing of the stand-in images, for where no image registry can be reached, and the product's image.
# A stand-in's tag is a digest of what it is made of, so a second run builds nothing. Prints the variables that name the
# images on stdout, and what it did with times on stderr. Needs an engine (deploy/local/docker.sh), root, Maven, pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
fetched=${MALOTE_LOCAL:-$root/.local}
work=${MALOTE_DOCKER_DIR:-$fetched/docker}/build
pins=("$root/deploy/local/versions.toml" "$root/deploy/local/jars.sha256")
export DOCKER_BUILDKIT=0  # the engine of Debian has no BuildKit client beside it

say() { echo "images: $*" >&2; }
digest() { cat "$@" | sha256sum | cut -c1-12; }
there() { docker image inspect "$1" >/dev/null 2>&1; }

# timed NAME COMMAND…: nothing when the image is there, else the command, its output in a log that is shown when it fails.
timed() {
  local image=$1 log began=$SECONDS
  there "$image" && return
  log=$work/$(tr '/:' '--' <<<"$image").log
  "${@:2}" "$image" >"$log" 2>&1 || { tail -20 "$log" >&2; say "$image failed: $log"; return 1; }
  say "$image in $((SECONDS - began)) s"
}

rootfs() {
  local mirror folder
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)
  folder=$(mktemp -d "$work/rootfs.XXXXXX")
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" "$mirror"
  grep -l '^Acquire' /etc/apt/apt.conf.d/* | xargs -r cp -t "$folder/etc/apt/apt.conf.d/"
  tar -C "$folder" -c . | docker import - "$1"
  rm -rf "$folder"
}

# The certificates and pip settings of this machine go into the local base, never into the product's Dockerfile.
layer() {
  local context=$work/base
  mkdir -p "$context"
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  cp /etc/pip.conf "$context/" 2>/dev/null || : >"$context/pip.conf"
  docker build --network host --build-arg ROOTFS="$rootfs_image" --target "$1" -t "$2" -f "$here/base/Dockerfile" "$context"
}

# The servers themselves are fetched, by hash, by the same code that serves the processes backend.
servers() { (cd "$root" && python3 -c 'from deploy.local import tools; tools.prepare()'); }

# from_context NAME BASE IMAGE FILE…: builds NAME's Dockerfile over exactly these files.
from_context() {
  local name=$1 base=$2 image=$3 context=$work/$1
  rm -rf "$context" && mkdir -p "$context"
  cp -r "${@:4}" "$context/"
  docker build --network none --build-arg BASE="$base" -t "$image" -f "$here/$name/Dockerfile" "$context"
}

kafka() { from_context kafka "$java_image" "$1" "$fetched/kafka/libs" "$here"/kafka/kafka-run.sh "$here"/kafka/log4j2.yaml; }
greenmail() { from_context greenmail "$java_image" "$1" "$fetched"/greenmail/greenmail-standalone-*.jar; }
mongo() { from_context mongo "$python_image" "$1" "$fetched"/mongo/mongod-*; }

# The layers of the product are cached by the engine, so this always runs: seconds when only code changed.
product() {
  local began=$SECONDS
  docker build -q --network host --build-arg BASE="$python_image" -t malote:dev -f "$root/deploy/Dockerfile" "$root" >"$work/malote.log" 2>&1 ||
    { tail -20 "$work/malote.log" >&2; return 1; }
  say "malote:dev in $((SECONDS - began)) s"
}

mkdir -p "$work"
rootfs_image=malote-standin/rootfs:bookworm
base=$(digest "$here/base/Dockerfile" /etc/ssl/certs/ca-certificates.crt)
python_image=malote-standin/python:$base
java_image=malote-standin/java:$base
kafka_image=malote-standin/kafka:$(digest "$here"/kafka/* "${pins[@]}")
mongo_image=malote-standin/mongo:$(digest "$here"/mongo/* "${pins[@]}")
greenmail_image=malote-standin/greenmail:$(digest "$here"/greenmail/* "${pins[@]}")

began=$SECONDS
{ there "$kafka_image" && there "$mongo_image"; } || servers >"$work/servers.log" 2>&1 &
fetching=$!
timed "$rootfs_image" rootfs
timed "$python_image" layer python
timed "$java_image" layer java
wait "$fetching" || { tail -20 "$work/servers.log" >&2; exit 1; }
timed "$mongo_image" mongo &
mongo_pid=$!
timed "$kafka_image" kafka
timed "$greenmail_image" greenmail
wait "$mongo_pid"
product
say "all there after $((SECONDS - began)) s"
printf 'export %s\n' "BASE=$python_image" "KAFKA_IMAGE=$kafka_image" "MONGO_IMAGE=$mongo_image" \
  "GREENMAIL_IMAGE=$greenmail_image" "MALOTE_IMAGE=malote:dev" "TESTCONTAINERS_RYUK_DISABLED=true"
