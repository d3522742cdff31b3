"""The platform engineer's command line: ``malote provision`` makes topics and indexes; more later."""
