"""Recorded days through the whole desk, and what to compare them with."""
