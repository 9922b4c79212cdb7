"""Every breaker and every procedure has a drill; with its breaker taken out of the table, a drill fails."""

from dataclasses import replace
from pathlib import Path

import pytest
from parley.desk.book import Book
from parley.desk.settings import Settings
from parley.evals.drill_breakers import BREAKER_DRILLS
from parley.evals.drill_ground import Ground
from parley.evals.drill_procedures import PROCEDURE_DRILLS
from parley.evals.drills import DRILLS, run_drill
from parley.evals.errors import DrillUnknown
from parley.execution.breakers import BREAKERS
from parley.gate.limits import load_limits
from parley.market.datasets import load_data

BREAKER_NAMES = [breaker.name for breaker in BREAKERS]


@pytest.fixture(scope="module")
def ground(many_names: Path) -> Ground:
    """The last days of sixteen made-up names."""
    data = load_data(str(many_names))
    days = data.history().sessions_between()[-5:]
    return Ground(Book(Path("nowhere")), data, str(many_names), Settings(), load_limits(), days)


def test_every_breaker_has_a_drill_and_no_drill_shares_a_name() -> None:
    assert [drill.breaker for drill in BREAKER_DRILLS] == BREAKER_NAMES
    assert len(DRILLS) == len(BREAKER_DRILLS) + len(PROCEDURE_DRILLS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [drill.name for drill in PROCEDURE_DRILLS])
def test_a_procedure_holds(ground: Ground, name: str) -> None:
    result = run_drill(name, ground)

    assert result.problems == ()
    assert result.passed


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKER_NAMES)
def test_a_breaker_trips_in_its_drill_and_the_drill_fails_without_it(ground: Ground, name: str) -> None:
    whole = run_drill(name, ground)
    without = run_drill(name, replace(ground, breakers=tuple(b for b in BREAKERS if b.name != name)))

    assert whole.problems == ()
    assert whole.timeline
    assert without.problems


def test_an_unknown_drill_is_refused_with_the_names_there_are(ground: Ground) -> None:
    with pytest.raises(DrillUnknown) as caught:
        run_drill("earthquake", ground)

    assert "daily_loss" in caught.value.remedy
