"""The local stack: real servers, the services and a demonstration desk under one runner."""
