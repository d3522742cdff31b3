"""Everything at once: real Kafka, MongoDB and SMTP, the services as processes, spoken to over REST."""
