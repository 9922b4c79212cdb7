"""The command line, a file per kind of question; each command parses its options and calls one function."""
