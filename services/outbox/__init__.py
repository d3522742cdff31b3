"""The outbox consumes composed messages, cancels and channels; it decides when each message is committed, submitted
over SMTP and settled, or interrupted; it emits what happened to every message and each channel's SMTP state."""
