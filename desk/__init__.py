"""The one place where settings become objects and objects meet."""
