"""The gateway's use cases, one a file."""
