"""MongoDB in the role of the tenant, channel and request stores."""
