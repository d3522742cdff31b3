#!/usr/bin/env bash
# A Docker engine where none runs: docker.sh start|stop|status. Uses the machine's own when it answers, else starts one in
# a folder of the project (root and Debian's packages needed), on a unix socket, publishing on loopback only.
# `start` and `status` print DOCKER_HOST=… on their last line; messages go to stderr.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${MALOTE_DOCKER_DIR:-${MALOTE_LOCAL:-$root/.local}/docker}
own=unix://$dir/docker.sock

say() { echo "docker: $*" >&2; }
answers() { command -v docker >/dev/null && DOCKER_HOST=$1 timeout 5 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# The address of an engine that answers: the caller's, the machine's, then ours; fails when there is none.
address() {
  local host
  for host in "${DOCKER_HOST:-unix:///var/run/docker.sock}" "$own"; do
    if answers "$host"; then echo "$host"; return; fi
  done
  return 1
}

install_engine() {
  command -v dockerd >/dev/null && command -v iptables >/dev/null && command -v debootstrap >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { say "no engine runs here: install Docker, or run this as root on Debian"; exit 1; }
  say "installing docker.io, iptables, debootstrap"
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables debootstrap >"$dir/apt.log" 2>&1 ||
    { tail -5 "$dir/apt.log" >&2; exit 1; }
}

# The engine turns forwarding on and its policy to DROP: what was there before is kept for `stop`, the oldest answer wins.
remember() {
  [ -f "$dir/before" ] || printf '%s %s\n' "$(iptables -S FORWARD | sed -n 's/^-P FORWARD //p')" "$(cat /proc/sys/net/ipv4/ip_forward)" >"$dir/before"
}

put_back() {
  [ -f "$dir/before" ] || return 0
  local policy forward
  read -r policy forward <"$dir/before"
  iptables -P FORWARD "${policy:-ACCEPT}"
  echo "${forward:-0}" >/proc/sys/net/ipv4/ip_forward
  rm -f "$dir/before"
}

launch() {
  [ ${#own} -lt 110 ] || { say "the path of the socket is too long: set MALOTE_DOCKER_DIR to a shorter folder"; exit 1; }
  rm -f "$dir/docker.pid" "$dir/docker.sock"
  setsid dockerd -H "$own" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" --ip 127.0.0.1 \
    >"$dir/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 150); do answers "$own" && return; sleep 0.2; done
  tail -5 "$dir/dockerd.log" >&2; say "the engine did not start in 30 s: $dir/dockerd.log"; exit 1
}

start() {
  if ! address >/dev/null; then
    mkdir -p "$dir"
    install_engine
    # A machine with an init starts its own engine on installation.
    address >/dev/null || { remember; launch; }
  fi
  status
}

stop() {
  local pid left
  pid=$(cat "$dir/docker.pid" 2>/dev/null || true)
  if [ -n "$pid" ] && grep -qz "$own" "/proc/$pid/cmdline" 2>/dev/null; then
    kill "$pid"
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    # What the engine leaves mounted would keep its folder from being removed.
    for left in "$dir"/exec/netns/*; do umount "$left" 2>/dev/null || true; done
  fi
  put_back
}

status() {
  local host
  host=$(address) || { say "no engine answers"; return 1; }
  echo "DOCKER_HOST=$host"
}

case ${1:-} in
  start | stop | status) "$1" ;;
  *) echo "usage: docker.sh start|stop|status" >&2; exit 2 ;;
esac
