"""The desk on a schedule: jobs at times of the exchange's sessions, checks before each open, restarts, and uptime."""
