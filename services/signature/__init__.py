"""Consumes wishes about signatures and accepted messages, decides who signs how, emits signatures and composed mail."""
