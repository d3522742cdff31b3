#!/usr/bin/env bash
# Everything MALOTE_INFRA=containers needs: an engine, and images where none can be pulled. Idempotent, seconds when warm.
#   env=$(deploy/images/prepare.sh) && eval "$env"
# Prints the variables to export, and writes them to .local/docker/env. MALOTE_IMAGES says where images come from:
# `standin` builds them here, `public` leaves it to the engine to pull; default: stand-ins when the engine is our own.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${MALOTE_DOCKER_DIR:-${MALOTE_LOCAL:-$root/.local}/docker}

host=$("$root/deploy/local/docker.sh" start | tail -1)
export "${host?}"
case ${MALOTE_IMAGES:-} in
  standin | public) images=$MALOTE_IMAGES ;;
  '') [ "$DOCKER_HOST" = "unix://$dir/docker.sock" ] && images=standin || images=public ;;
  *) echo "MALOTE_IMAGES=$MALOTE_IMAGES: say standin or public" >&2; exit 2 ;;
esac
mkdir -p "$dir"
{
  echo "export MALOTE_INFRA=containers $host"
  if [ "$images" = standin ]; then "$root/deploy/images/build.sh"; fi
} >"$dir/env.new"
mv "$dir/env.new" "$dir/env"
cat "$dir/env"
