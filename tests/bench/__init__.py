"""Benches: what the outbound path costs and how fast it is, always beside the floor of the same run."""
