"""The faces of the desk: command line and reports."""
