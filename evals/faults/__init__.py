"""The fault laboratory: the real desk in a simulated world that breaks, one seed for everything."""
