"""The hard-coded veto: pure checks between a plan and a venue, and the only maker of approved orders."""
