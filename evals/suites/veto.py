"""The suite `veto`: for every reason of the gate a plan or child with that fault alone: refused, and for it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ...gate.catalog import sections
from ...gate.gate import review_child, review_plan
from ...gate.limits import Figure as RequiredFigure
from ..harness.options import SuiteOptions
from ..harness.task import Outcome, Sample, Scored, Summary, Table
from .shares import share
from .veto_bench import Bench
from .veto_children import CHILD_BREACHES, moment
from .veto_plans import PLAN_BREACHES, buy

CLEAN = "nothing"
NOT_HERE = {
    "well_formed": "a plan that was never validated cannot be built from data; the gate's own tests build it",
    "computable": "the same of an arithmetic overflow",
}


@dataclass(frozen=True)
class Veto:
    """Breaches of plans and of children, and one of each without any: a gate that refuses all is no gate."""

    name: str = "veto"

    def samples(self) -> Sequence[Sample]:
        asked = [("plan", reason) for reason in (CLEAN, *PLAN_BREACHES)]
        asked += [("child", reason) for reason in (CLEAN, *CHILD_BREACHES)]
        return [
            Sample(f"{level}.{reason}", {"level": level, "breaches": reason}, [] if reason == CLEAN else [reason])
            for level, reason in asked
        ]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        level, reason = str(sample.input["level"]), str(sample.input["breaches"])
        texts, is_approved = _plan(reason) if level == "plan" else _child(reason)
        wanted = [] if reason == CLEAN else [reason]
        found = sorted(texts)
        right = found == wanted and is_approved == (reason == CLEAN)
        told = "approved" if is_approved else f"refused for {', '.join(found)}"
        return Outcome(
            scores={"refused": float(not is_approved), "reasons": float(len(found))},
            passed=right,
            reason="" if right else f"{told}, expected {wanted or 'an approval'}",
            transcript={"reasons": dict(texts), "approved": is_approved},
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        breaches = [item for item in scored if item.sample.target]
        clean = [item for item in scored if not item.sample.target]
        reasons = {(row.level, row.name) for _, rows in sections() for row in rows}
        asked = {(level, name) for levels, name in reasons for level in _levels(levels)}
        covered = {(str(item.sample.input["level"]), str(item.sample.input["breaches"])) for item in breaches}
        missing = sorted(f"{level} {name}" for level, name in asked - covered if name not in NOT_HERE)
        figures = (
            share("refused_for_the_right_reason", sum(item.outcome.passed is True for item in breaches), len(breaches)),
            share("approved_when_clean", sum(item.outcome.passed is True for item in clean), len(clean)),
            share("reasons_covered", len(asked & covered), len(asked), "the others are not to be had from data"),
        )
        rows = tuple((name, why) for name, why in NOT_HERE.items()) + tuple((name, "no breach") for name in missing)
        return Summary(figures, (Table("Reasons without a sample", ("reason", "why"), ("", ""), rows),))


def build(options: SuiteOptions) -> Veto:
    return Veto()


def _plan(reason: str) -> tuple[dict[str, str], bool]:
    """The reasons against the plan with their texts, and whether it was approved."""
    bench = Bench()
    breach = buy(bench) if reason == CLEAN else PLAN_BREACHES[reason](bench)
    verdict, approved = review_plan(breach.plan, breach.state, breach.limits, bench.now)
    return {row.check: row.text for row in verdict.reasons}, approved is not None


def _child(reason: str) -> tuple[dict[str, str], bool]:
    bench = Bench()
    clean = {"required_figures": get_args(RequiredFigure)}
    at = moment(bench, limits=clean) if reason == CLEAN else CHILD_BREACHES[reason](bench)
    review = review_child(at.child, at.plan, at.context, at.limits, bench.open)
    return {row.check: row.text for row in review.verdict.reasons}, review.order is not None


def _levels(level: str) -> tuple[str, ...]:
    return ("plan", "child") if level == "both" else (level,)
