"""The environment variables every service reads."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict


class KitSettings(BaseSettings):
    """Where Kafka and MongoDB are, who this instance is, where its probes listen; prefix ``MALOTE_``.

    ``instance`` is stable over restarts (the pod's name): Kafka's static membership rests on it.
    """

    model_config = SettingsConfigDict(env_prefix="MALOTE_", frozen=True)

    kafka: str = "127.0.0.1:9092"
    mongo: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    db_prefix: str = "malote"
    instance: str
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    log_level: str = "INFO"
    session_timeout_s: float = 10.0
    publish_deadline_s: float = 30.0

    def database(self, service: str) -> str:
        """The name of a service's database."""
        return f"{self.db_prefix}_{service}"
