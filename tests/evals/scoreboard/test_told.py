"""The scoreboard's figures, tables and sentences, of a made record whose parts are known."""

from dataclasses import replace

import numpy as np
import pytest
from parley.evals.scoreboard.board import Board, RivalPath
from parley.evals.scoreboard.random_agents import flows_of, random_agents
from parley.evals.scoreboard.told import figures, notes
from parley.evals.scoreboard.told_charts import charts
from parley.evals.scoreboard.told_tables import tables
from parley.quant.arrays import FloatArray
from parley.quant.performance import sharpe


@pytest.fixture
def whole(board: Board) -> Board:
    """The board with random agents among four names."""
    rng = np.random.default_rng(9)
    moves = rng.normal(0.0003, 0.01, (len(board.desk.days) - 1, 4))
    closes: FloatArray = np.vstack([np.ones(4), np.cumprod(1.0 + moves, axis=0)]).astype(np.float64)
    return replace(board, randoms=random_agents(closes, flows_of(board.desk), rng, 30))


def test_no_ratio_stands_alone(whole: Board) -> None:
    found = {item.name: item for item in figures(whole)}

    assert found["sharpe"].value == pytest.approx(sharpe(whole.returns["desk"]))
    for name in ("sharpe", "sharpe_studentized", "sharpe_over_bills", "sharpe_minus_index"):
        assert found[name].low is not None and found[name].high is not None and found[name].n == 1008
    assert found["trials"].value == 200
    assert {"deflated_sharpe", "deflated_sharpe_over_bills", "psr", "days_needed"} <= found.keys()
    # Fully invested, every day's bill of half a basis point is taken off.
    assert found["sharpe_over_bills"].value == pytest.approx(sharpe(whole.returns["desk"] - 5e-5))
    assert 0.0 <= (found["sharpe_percentile_of_random"].value or 0.0) <= 1.0


def test_costs_and_turnover_are_those_of_the_path(whole: Board) -> None:
    found = {item.name: item.value for item in figures(whole)}

    assert found["cost"] == pytest.approx(10.0)
    assert found["turnover"] == pytest.approx(0.5 * 252 / 1008)
    assert (found["gross_exposure"], found["exposure_stock"]) == (1.0, 1.0)
    assert found["annual_return_gross"] > found["annual_return_net"]  # pyright: ignore


def test_rows_have_a_cell_for_every_column(whole: Board) -> None:
    found = tables(whole)

    titles = [table.title for table in found]
    assert (
        titles[:4] == ["On the same days", "Against ours, and over bills", "By regime", "By year"]
        and titles[-1] == "Random agents"
    )
    for table in found:
        assert all(len(row) == len(table.header) == len(table.units) for row in table.rows)
    years = next(table for table in found if table.title == "By year")
    assert np.prod([1.0 + row[2] for row in years.rows]) == pytest.approx(  # pyright: ignore
        whole.desk.equity[-1] / whole.desk.equity[0]
    )
    regimes = next(table for table in found if table.title == "By regime")
    assert sum(row[1] for row in regimes.rows) == 1008  # pyright: ignore


def test_charts_have_a_point_for_every_place(whole: Board) -> None:
    found = charts(whole)

    assert [chart.kind for chart in found] == ["lines", "lines", "bars", "histogram"]
    for chart in found[:3]:
        assert all(len(line) == len(chart.x) for line in chart.lines.values())
    assert len(found[3].x) == len(found[3].lines["random agents"]) + 1
    assert found[3].mark == pytest.approx(sharpe(whole.returns["desk"]))


def test_an_oracle_that_is_beaten_is_a_fault_of_the_engine(whole: Board) -> None:
    poor = replace(whole, others={**whole.others, "oracle": RivalPath(whole.desk.equity * 0.9, 1.0, 1.0)})
    rich = replace(whole, others={**whole.others, "oracle": RivalPath(np.geomspace(1e6, 1e12, 1009), 1.0, 1.0)})

    assert any("ENGINE FAULT" in note for note in notes(poor, "none"))
    assert not any("ENGINE FAULT" in note for note in notes(rich, "none"))


def test_a_failing_model_stands_first(whole: Board) -> None:
    path = replace(whole.desk, counts={**whole.desk.counts, "failed_answers": 7})

    assert notes(replace(whole, desk=path), "none")[0].startswith("The model failed 7 times.")
    assert "not in the register" in notes(whole, "none")[-1]
