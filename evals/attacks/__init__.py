"""A public set of attacks on the desk, models that obey them, and what has to hold all the same."""
