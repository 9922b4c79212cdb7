"""A small desk to review plans on, the one of the suite `veto`: four stocks, two sectors, one fund, round prices."""

from typing import Any

import pytest
from parley.domain.orders import Plan
from parley.evals.suites import veto_bench
from parley.gate.gate import review_plan
from parley.gate.state import GateState


class Bench(veto_bench.Bench):
    """With what a test asks of a plan; every test changes one thing."""

    def review(self, plan: Plan, state: GateState | None = None, limits: Any = None) -> Any:
        return review_plan(plan, state or self.state(), limits or self.limits, self.now)

    def failed(self, plan: Plan, state: GateState | None = None, limits: Any = None) -> set[str]:
        """Names of the failing checks; an approval must come exactly when there are none."""
        verdict, approved = self.review(plan, state, limits)
        assert verdict.approved == (approved is not None) == (not verdict.reasons)
        return {row.check for row in verdict.reasons}


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
