"""Looks for what a desk could not have known, by changing the future, the order and the clock under it."""
