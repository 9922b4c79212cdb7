"""The honest scoreboard over recorded days: paths, rivals on the same days, and what luck could explain."""
