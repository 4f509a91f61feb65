"""End to end: real servers, every service in its own process, the public API only."""
