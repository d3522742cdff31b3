"""The rules of tenants and channels: pure, without clock, driver or events."""
