"""The fast loop: works approved plans through a session, child by child, and reports what came of it."""
