"""The page an operator works in: server-rendered HTML on the gateway's own use cases, live by SSE."""
