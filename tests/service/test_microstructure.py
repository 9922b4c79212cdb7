"""The microstructure command: its contract in words and JSON, its page, a moment in the past, and what it refuses."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.service.page_proof import problems
from parley.service.reports import Report

NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
TOOLS = ("book_pressure", "trading_costs_now", "trade_signs", "toxicity", "volume_shape")
START = datetime(2024, 8, 8, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def recorded() -> Path:
    if (FOLDER / "orderbook").is_dir():
        return FOLDER
    reason = f"no recorded books at {FOLDER}; set PARLEY_SHARED_DATA to the folder that holds orderbook/"
    pytest.skip(reason)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of made-up books and trades, one book of them crossed."""
    rng = np.random.default_rng(6)
    made = tmp_path_factory.mktemp("recording")
    bids = 100.0 + 0.125 * np.cumsum(rng.integers(-1, 2, 400))
    sizes = rng.integers(1, 20, (400, 3))
    books, trades = ["ts,symbol,bid1_px,bid1_sz,ask1_px,ask1_sz"], ["ts,symbol,price,size,aggressor"]
    for k, (bid, row) in enumerate(zip(bids.tolist(), sizes.tolist(), strict=True)):
        at = START + timedelta(milliseconds=100 * k)
        ask = bid - 1.0 if k == 7 else bid + 0.125
        books.append(f"{at.isoformat()},AAA,{bid},{row[0]},{ask},{row[1]}")
        side = "buy" if row[2] > 9 else "sell"
        price = bid + 0.125 if side == "buy" else bid
        trades.append(f"{(at + timedelta(milliseconds=20)).isoformat()},AAA,{price},{row[2]},{side}")
    (made / "books.csv").write_text("\n".join(books))
    (made / "trades.csv").write_text("\n".join(trades))
    return made


def page_problems(html: str, twin: dict[str, Any]) -> list[str]:
    return problems(Report(twin["id"], "microstructure", html, twin))


def test_a_recording_gives_every_tool_with_its_evidence_and_a_page_that_bears_it_out(parley: Any, folder: Path) -> None:
    done = parley("microstructure", "--data", folder, "--json")

    found = done.document
    assert done.code == 0
    assert set(found["evidence"]) == set(TOOLS) and found["refused"] == {}
    assert [item["code"] for item in found["findings"]] == ["crossed"] and found["findings"][0]["row"] == 8
    twin = json.loads(Path(found["json"]).read_text())
    html = Path(found["html"]).read_text()
    for tool in TOOLS:
        entry = twin["evidence"][found["evidence"][tool]]
        assert entry["output"] == found[tool] and entry["output"]["reading"]
    assert page_problems(html, twin) == []
    assert "1 crossed books (bid above ask) left out, the first in row 8." in html


def test_words_say_what_the_document_says(parley: Any, folder: Path) -> None:
    found = parley("microstructure", "--data", folder, "--json").document
    text = " ".join(parley("microstructure", "--data", folder).out.split())

    for tool in TOOLS:
        assert " ".join(found[tool]["reading"].split()) in text
    row = found["trading_costs_now"]["horizons"][0]
    assert f"{1e4 * row['effective']:.3f} {1e4 * row['realized']:.3f} {1e4 * row['impact']:.3f}" in text
    assert "crossed: 1 crossed books" in text


@pytest.mark.parametrize("name", ["us_tick_ibm_20131007.parquet", "us_minute_trade_quote_2013.parquet"])
def test_a_recorded_day_of_ticks_or_minutes_has_a_page(parley: Any, recorded: Path, name: str, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "ibm.html"

    done = parley("microstructure", "--data", recorded / "intraday" / name, "--symbol", "IBM", "--out", page, "--json")

    twin = json.loads(page.with_suffix(".json").read_text())
    assert done.code == 0 and done.document["symbol"] == "IBM"
    assert page_problems(page.read_text(), twin) == []
    assert set(done.document["refused"]) == ({"trade_signs"} if "minute" in name else set())


def test_as_of_a_moment_later_rows_do_not_exist(parley: Any, folder: Path, tmp_path: Path) -> None:
    moment = "2024-08-08T12:00:30+00:00"
    for name in ("books.csv", "trades.csv"):
        head, *lines = (folder / name).read_text().splitlines()
        kept = [line for line in lines if datetime.fromisoformat(line.split(",")[0]) <= datetime.fromisoformat(moment)]
        (tmp_path / name).write_text("\n".join([head, *kept]))
        assert len(kept) < len(lines)

    whole = parley("microstructure", "--data", folder, "--as-of", moment, "--json").document
    cut = parley("microstructure", "--data", tmp_path, "--as-of", moment, "--json").document
    naive = parley("microstructure", "--data", folder, "--as-of", "2024-08-08T12:00:30", "--json").document

    assert whole["as_of"] == moment and whole["id"] == naive["id"]
    assert whole["evidence"] == cut["evidence"]
    assert all(whole[tool] == cut[tool] for tool in TOOLS)
    assert parley("microstructure", "--data", folder, "--as-of", "2024-08-08", "--json").document["id"] != whole["id"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--as-of", "noon"), "settings_invalid"),
        (("--as-of", "2024-13-01"), "settings_invalid"),
        (("--as-of", "2020-01-01"), "no_sessions"),
        (("--symbol", "BBB"), "unknown_symbol"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_remedy(
    parley: Any, folder: Path, arguments: tuple[str, ...], code: str
) -> None:
    done = parley("microstructure", "--data", folder, *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code and done.document["error"]["remedy"]


def test_a_recording_too_short_for_anything_is_refused(parley: Any, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(
        "ts,symbol,bid1_px,bid1_sz,ask1_px,ask1_sz\n2024-08-08T12:00:00Z,AAA,100,1,101,2\n"
    )

    missing = parley("microstructure", "--data", tmp_path / "none.csv", "--json")
    short = parley("microstructure", "--data", tmp_path / "one.csv", "--json")

    assert (missing.code, missing.document["error"]["code"]) == (2, "data_file_error")
    assert short.code == 0 and set(short.document["evidence"]) == {"trading_costs_now"}
    assert short.document["trading_costs_now"]["quoted"]["now"] == pytest.approx(1 / 100.5)
