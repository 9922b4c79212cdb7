"""The deterministic numbers of the desk: pure functions from arrays to arrays."""
