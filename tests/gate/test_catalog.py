"""The table of reasons is complete, its codes are unique, and docs/gate.md is what it prints."""

import re
from pathlib import Path
from typing import Any

import parley
from parley.gate.catalog import page, sections
from parley.gate.child_checks import CHILD_CHECKS
from parley.gate.limits import Limits
from parley.gate.state import Borrow

ROWS = [row for _, rows in sections() for row in rows]
NOT_LIMITS = {"0", "types", "0.0001", "instrument lot", "instrument tick", "leg quantity", "located shares",
              "trading state"}  # fmt: skip


def test_the_page_is_what_the_table_says() -> None:
    shipped = Path(parley.__file__).with_name("docs") / "gate.md"

    assert shipped.read_text(encoding="utf-8") == page(), "run: python -m parley.gate.catalog > docs/gate.md"


def test_codes_are_a_category_and_a_condition_and_each_name_has_one() -> None:
    assert len({row.code for row in ROWS}) == len({row.name for row in ROWS}) == len(ROWS)
    assert all(
        re.fullmatch(r"(VALIDITY|ERRONEOUS|CAPITAL|EXPOSURE|LIST|RATE|STATE)(_[A-Z0-9]+)+", r.code) for r in ROWS
    )
    assert all(row.meaning and row.source and row.level in ("plan", "child", "both") for row in ROWS)


def test_every_line_of_a_verdict_is_in_the_table_with_its_unit_and_level(bench: Any) -> None:
    state = bench.state(held={"BBB": 5}, borrow={"BBB": Borrow(1, 0.0)})
    verdict, _ = bench.review(bench.plan(bench.leg("AAA", "BUY", 5), bench.leg("BBB", "SELL", 5)), state)
    at_plan = {row.check: row.unit for row in verdict.checks}
    at_child = {check.name: check.unit for check in CHILD_CHECKS}

    assert set(at_plan) | {"well_formed", "computable"} == {row.name for row in ROWS if row.level != "child"}
    assert set(at_child) == {row.name for row in ROWS if row.level != "plan"}
    for row in ROWS:
        assert all(units.get(row.name, row.unit) in row.unit for units in (at_plan, at_child)), row


def test_every_limit_named_is_a_field_and_every_bound_is_named() -> None:
    named = {name.strip() for row in ROWS for name in row.limit.split(",")} - NOT_LIMITS

    assert named <= set(Limits.model_fields)
    assert set(Limits.model_fields) - named == {"version", "min_var_days", "dynamic"}
