"""Runs a suite of samples, keeps every outcome, and judges what it came to."""
