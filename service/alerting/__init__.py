"""Alerts on their way to people: the watch over a book's log, the channels, escalation, and answers."""
