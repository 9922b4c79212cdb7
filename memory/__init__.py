"""What the desk did: the append-only event log, its read models, and the walk that verifies both."""
