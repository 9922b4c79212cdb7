"""Tests of adapters are collected where the package that they adapt to is installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("inspect_ai") else ["test_inspect_task.py"]
