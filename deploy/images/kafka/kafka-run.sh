#!/bin/bash
# Starts a KRaft broker from KAFKA_* variables. As in apache/kafka: `_` is a dot, `__` an underscore, `___` a dash.
# `archive` starts it once to write the class-data archives, and ends when the broker stood.
set -euo pipefail
home=/opt/kafka
properties=/tmp/server.properties
classpath=$(printf '%s:' "$home"/libs/*.jar)
java_options=(-XX:+UseSerialGC "-Dlog4j2.configurationFile=$home/log4j2.yaml")

defaults() {
  cat <<END
node.id=1
process.roles=broker,controller
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.voters=1@localhost:9093
log.dirs=/var/lib/kafka/data
END
}

from_environment() {
  local name value
  while IFS='=' read -r name value; do
    case $name in KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_JVM_PERFORMANCE_OPTS) continue ;; esac
    name=${name#KAFKA_}; name=${name//___/-}; name=${name//__/%}; name=${name//_/.}; name=${name//%/_}
    echo "${name,,}=$value"
  done < <(env | grep '^KAFKA_' || true)
}

# Later lines win in a properties file, so the environment overrides the defaults.
write_properties() { { defaults; from_environment; } >"$properties"; }

format() {
  [ -f /var/lib/kafka/data/meta.properties ] && return
  java -XX:TieredStopAtLevel=1 "${java_options[@]}" "$@" -cp "$classpath" kafka.tools.StorageTool format --ignore-formatted \
    -t "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" -c "$properties" >/dev/null
}

archive() {
  format -XX:ArchiveClassesAtExit=$home/cds/format.jsa
  java -Xmx256m "${java_options[@]}" -XX:ArchiveClassesAtExit=$home/cds/broker.jsa -cp "$classpath" kafka.Kafka "$properties" &
  local broker=$!
  for _ in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/9092) 2>/dev/null && break; sleep 0.2; done
  sleep 1
  kill "$broker"
  wait "$broker" || [ $? = 143 ]
}

write_properties
if [ "${1:-}" = archive ]; then archive; exit; fi
format -XX:SharedArchiveFile=$home/cds/format.jsa
# shellcheck disable=SC2086  # the three option variables hold several words, as in apache/kafka
exec java ${KAFKA_HEAP_OPTS:--Xms64m -Xmx512m} ${KAFKA_JVM_PERFORMANCE_OPTS:-} "${java_options[@]}" \
  -XX:SharedArchiveFile=$home/cds/broker.jsa ${KAFKA_OPTS:-} -cp "$classpath" kafka.Kafka "$properties"
