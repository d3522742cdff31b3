"""Consumes wishes about tenants and channels, decides them, emits each tenant and channel as it then is, whole."""
