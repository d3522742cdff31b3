"""The gateway's rules: no await, no clock, no driver."""
