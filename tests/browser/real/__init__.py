"""The console in a real browser on the real stack: servers, all services, a mail server, a recording peer."""
