"""Malote's published language: events, topics, limits, addresses and threading tokens.

Installable alone as ``malote-contracts``; it needs the standard library, pydantic and idna and nothing else. Services
and other teams import from the modules, there is no re-export here.
"""
