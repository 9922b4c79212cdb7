"""Who may do what: users and roles, passwords and tokens, sessions, limits on tries and calls, and their audit."""
