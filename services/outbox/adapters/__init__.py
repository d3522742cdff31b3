"""What the outbox's ports stand on: MongoDB, SMTP and MIME."""
