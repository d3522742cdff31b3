"""DESIGN §3 as a stateful test: the real handlers on the store in memory, under seeded schedules with faults."""
