"""Disks: the small SQL port and its embedded adapter."""
