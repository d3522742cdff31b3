"""The outbox's use cases, one a file."""
