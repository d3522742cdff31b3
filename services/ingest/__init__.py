"""Ingest consumes channels, tenants, conversations and its own statuses; it watches each channel's mailbox and decides
what is new, whose conversation it is and what state the connection is in; it emits every mail as one event."""
