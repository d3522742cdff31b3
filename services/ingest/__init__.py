"""Ingest: consumes channels, decides what is new in their mailboxes, emits what arrived."""
