"""The suites: each a task over samples, and a file that says what is asked and with which numbers."""
