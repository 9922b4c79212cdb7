"""The risk gate: pure checks, and the only maker of approved plans and orders."""
