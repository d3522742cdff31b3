"""The gateway's technology: HTTP, tokens, MongoDB."""
