"""The risk-models command: its table against the quant core's own, its document, and what it refuses."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.market.datasets import load_data
from parley.market.sessions import session_calendar
from parley.quant.risk_validation import ModelRecord, validate_risk_models
from parley.quant.tail_forecasts import TailModel
from parley.quant.var import historical_var
from parley.quant.var_backtests import Zone
from parley.service.validating import judge_all
from parley.service.validation_table import CANDIDATES, Judged, failures, plain_words

PERIOD = ("--start", "2000-01-01", "--end", "2003-06-30")
GOOD = ModelRecord(
    model=TailModel.HISTORICAL, n_days=1000, n_refused=0, n_exceptions=10, expected_exceptions=10.0, kupiec_p=1.0,
    independence_p=0.7, coverage_p=0.9, last_year_exceptions=2, last_year_zone=Zone.GREEN, z2=0.0, z2_p=0.5,
    mean_var=0.02, mean_es=0.025, quantile_loss=0.0005,
)  # fmt: skip


@pytest.fixture(scope="module")
def ragged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """900 sessions of two made-up names, and a third that came on the hundredth."""
    days = session_calendar("XNYS", date(2014, 1, 2), date(2018, 6, 1)).days[:900]
    closes = 40.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.0003, 0.01, (900, 3)), axis=0))
    rows = [
        f"{name},{day},{closes[row, column]:.4f}"
        for column, (name, first) in enumerate((("AAA", 0), ("BBB", 0), ("NEW", 100)))
        for row, day in enumerate(days)
        if row >= first
    ]
    path = tmp_path_factory.mktemp("market") / "ragged.csv"
    path.write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    return path


def test_the_counts_are_those_of_each_days_loss_against_the_evenings_var(parley: Any) -> None:
    panel = load_data("us20").panel
    rows = (panel.sessions >= np.datetime64("2000-01-01")) & (panel.sessions <= np.datetime64("2003-06-30"))
    book = (panel.close[rows][1:] / panel.close[rows][:-1] - 1.0).mean(axis=1)

    found = parley("risk-models", *PERIOD, "--json").document["data"][0]

    gates = next(row for row in found["models"] if row["title"] == "historical, 252 days")
    hits = sum(-book[day] > historical_var(book[day - 252 : day], 0.99) for day in range(575, len(book)))
    assert gates["n_days"] == len(book) - 575
    assert gates["n_exceptions"] == hits > 0
    assert gates["expected_exceptions"] == pytest.approx((len(book) - 575) / 100)
    assert (found["start"], len(found["names"]), found["left_out"]) == ("2000-01-03", 20, [])
    assert [row["title"] for row in found["models"]] == [candidate.title for candidate in CANDIDATES]
    assert len({row["n_days"] + row["n_refused"] for row in found["models"] if "n_days" in row}) == 1


def test_a_row_is_the_quant_cores_own_record() -> None:
    returns = np.random.default_rng(11).standard_t(5, (830, 3)) * 0.01

    steps: list[int] = []

    rows = judge_all(returns, steps.append)

    assert steps == list(range(1, len(CANDIDATES) + 1))
    place = next(k for k, row in enumerate(rows) if row.candidate.model is TailModel.NORMAL_EWMA)
    third = np.full(3, 1.0 / 3.0)
    (alone,) = validate_risk_models(third, returns, np.random.default_rng(1), models=(TailModel.NORMAL_EWMA,))
    record = rows[place].record
    assert record is not None
    assert (record.n_exceptions, record.kupiec_p, record.z2) == (alone.n_exceptions, alone.kupiec_p, alone.z2)


def test_a_model_that_refuses_the_sample_says_so_and_the_others_go_on() -> None:
    rng = np.random.default_rng(12)
    returns = rng.normal(0.0, 0.01, (900, 1))
    returns[rng.integers(0, 900, 12)] = -0.30

    by_model = {row.candidate.model: row for row in judge_all(returns, lambda done: None)}

    refused = by_model[TailModel.CORNISH_FISHER]
    assert refused.record is None
    assert "Cornish-Fisher: gives no record" in " ".join(plain_words([refused]))
    assert by_model[TailModel.STUDENT_T].record is not None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kupiec_p": 0.04, "n_exceptions": 18}, ("too many exceptions (1.80 times the expected)",)),
        ({"kupiec_p": 0.04, "n_exceptions": 3}, ("too few exceptions (0.30 times the expected)",)),
        ({"independence_p": 0.001, "coverage_p": 0.001}, ("exceptions come in clusters",)),
        ({"coverage_p": 0.04}, ("number and timing of exceptions together are unlikely",)),
        ({"z2_p": 0.0}, ("the tail was worse than its ES said",)),
        ({"kupiec_p": 0.05, "z2_p": 0.05}, ()),
    ],
)
def test_each_failed_test_has_its_own_words(changes: dict[str, Any], says: tuple[str, ...]) -> None:
    assert failures(replace(GOOD, **changes)) == says


def test_the_sharpest_model_is_named_only_among_those_that_forecast_every_day() -> None:
    records = (GOOD, replace(GOOD, quantile_loss=0.0003), replace(GOOD, quantile_loss=0.0001, n_refused=9))
    rows = [Judged(candidate, record) for candidate, record in zip(CANDIDATES, records, strict=False)]

    assert plain_words(rows)[-1].endswith(f"forecast every day: {CANDIDATES[1].title}.")


def test_the_document_has_a_table_for_each_data_set_and_the_command_that_made_it(parley: Any, ragged: Path) -> None:
    other = ragged.with_name("again.csv")
    other.write_text(ragged.read_text())
    options = ("--data", f"{ragged},{other}", "--out", "made/models.md")

    done = parley("risk-models", *options)

    text = Path("made/models.md").read_text()
    first, second = (part.partition("\n")[2] for part in text.split("\n## ")[1:])
    assert done.code == 0 and "Passes every test" in done.out and "made/models.md" in done.out
    assert f"`parley risk-models {' '.join(options)}`" in text
    assert "2 names in equal parts" in first and "1 without a close on every day are left out" in first
    assert first[first.index("| model |") :].strip() == second[second.index("| model |") :].strip()


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--start", "2020-01-01"), "not_enough_data", "a validation needs 826"),
        (("--start", "2010-01-01", "--end", "2009-01-01"), "settings_invalid", "is after --end"),
        (("--start", "last year"), "settings_invalid", "--start 'last year' is not a day"),
        (("--data", "us20,"), "settings_invalid", "empty or a repeated name"),
        (("--data", "us20,us20"), "settings_invalid", "empty or a repeated name"),
        (("--data", "nope"), "unknown_data_set", "nope"),
        (("--start", "2031-01-01"), "no_sessions", "no session of us20"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_any_work(
    parley: Any, options: tuple[str, ...], code: str, says: str
) -> None:
    done = parley("risk-models", *options, "--out", "made/models.md", "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("made").exists()


def test_an_out_that_is_a_folder_is_refused_before_any_work(parley: Any, tmp_path: Path) -> None:
    done = parley("risk-models", "--out", tmp_path, "--json")

    assert done.document["error"]["code"] == "book_error"
    assert "is a folder" in done.document["error"]["message"]
