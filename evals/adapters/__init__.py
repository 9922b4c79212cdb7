"""Suites for the runners of others: each adapter imports its package when it is asked for."""
