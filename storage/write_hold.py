"""A program that keeps a file's write lock until its input ends, as a backup or a person at a prompt does."""

import sqlite3
import sys

HELD = "held"


def hold(path: str) -> None:
    """Says when it has it."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    connection.execute("BEGIN IMMEDIATE")
    print(HELD, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    hold(sys.argv[1])
