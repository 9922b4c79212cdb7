"""The execution agent's choice: what a model says of how to work a leg is in the plan, and nothing else of it is."""

import json
from typing import Any

from parley.domain.orders import Algorithm


def working_in(bench: Any, algorithm: str | None) -> Any:
    """Everybody is for everything, and the execution agent wants every leg worked one way."""

    def script(request: Any) -> str:
        reply = json.loads(bench.reply_to(request, 80))
        if request.prompt.name == "execution/opinion":
            for vote in reply["votes"]:
                vote["algorithm"] = algorithm
        return json.dumps(reply)

    return bench.with_(model=bench.Scripted(script)).decide()


def test_the_choice_of_the_execution_agent_is_how_the_plan_is_worked(bench: Any):
    usual, hurried = working_in(bench, None), working_in(bench, "IS")

    assert {leg.advice.algorithm for leg in usual.plan.legs} == {Algorithm.TWAP}
    assert {leg.advice.algorithm for leg in hurried.plan.legs} == {Algorithm.IS}
    assert all(leg.advice.kappa_span > 0 for leg in hurried.plan.legs)
    bare = [
        leg.model_copy(update={"advice": other.advice})
        for leg, other in zip(hurried.plan.legs, usual.plan.legs, strict=True)
    ]
    assert bare == list(usual.plan.legs)


def test_a_way_that_is_not_offered_on_daily_bars_changes_nothing(bench: Any):
    assert working_in(bench, "VWAP").plan == working_in(bench, None).plan
