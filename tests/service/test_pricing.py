"""The price command: its contract in words and JSON, a recorded chain with its page, and what it refuses."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from parley.service.page_proof import problems
from parley.service.reports import Report

NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
RECORDED = FOLDER / "options" / "aapl_option_chain.parquet"
ONE = ("price", "call", "--spot", "42", "--strike", "40", "--years", "0.5", "--rate", "0.1")
HEADER = "file_date,expiry,strike,right,close,volume,open_interest,underlying_close"
CALL = "2020-06-08,2020-07-17,100,C,3.0,10,5,100"
PUT = "2020-06-08,2020-07-17,100,P,2.5,10,5,100"


@pytest.fixture
def apple() -> Path:
    if RECORDED.is_file():
        return RECORDED
    reason = f"no recorded chain at {RECORDED}; set PARLEY_SHARED_DATA to the folder that holds options/"
    pytest.skip(reason)


def page_problems(html: str, twin: dict[str, Any]) -> list[str]:
    return problems(Report(twin["id"], "run", html, twin))


def test_one_option_has_price_greeks_parity_and_evidence(parley: Any) -> None:
    done = parley(*ONE, "--vol", "0.2", "--json")

    found = done.document
    assert done.code == 0
    # Hull (2018), Options, Futures, and Other Derivatives, 10th ed., example 15.6.
    assert found["price"] == pytest.approx(4.76, abs=0.005)
    assert found["parity"]["price"] == pytest.approx(0.81, abs=0.005)
    assert set(found["greeks"]) == set(found["units"])
    assert found["implied_vol"] is None
    assert found["american"] is None
    assert set(found["evidence"]) == {"option_price", "option_greeks", "parity_partner"}


def test_words_say_what_the_document_says(parley: Any) -> None:
    found = parley(*ONE, "--vol", "0.2", "--american", "--json").document
    text = parley(*ONE, "--vol", "0.2", "--american").out

    assert f"{found['price']:.6g}" in text
    assert f"{found['american']['price']:.6g}" in text
    assert f"{found['greeks']['vega']:.6g}" in text
    assert "per volatility point" in text


@pytest.mark.parametrize("style", [(), ("--american",)])
def test_a_market_price_gives_the_volatility_and_prices_back_to_itself(parley: Any, style: tuple[str, ...]) -> None:
    found = parley(*ONE, "--market", "5", *style, "--json").document

    again = parley(*ONE, "--vol", str(found["implied_vol"]["vol"]), *style, "--json").document
    price = again["american"]["price"] if style else again["price"]
    assert price == pytest.approx(5.0, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "call or put, --spot, --strike, --years missing"),
        (("call", "--spot", "100", "--years", "1", "--vol", "0.2"), "--strike missing"),
        (("straddle", "--spot", "1", "--strike", "1", "--years", "1", "--vol", "0.2"), "'straddle' is no kind"),
        (ONE[1:], "neither --vol nor --market"),
        ((*ONE[1:], "--vol", "0.2", "--market", "3"), "both --vol and --market"),
        ((*ONE[1:], "--vol", "20"), "--vol 20 is out of range"),
        ((*ONE[1:], "--vol", "nan"), "--vol nan is out of range"),
        ((*ONE[1:], "--vol", "0.2", "--spot", "-1"), "--spot -1 is out of range"),
        ((*ONE[1:], "--vol", "0.2", "--years", "0"), "--years 0 is out of range"),
        ((*ONE[1:], "--vol", "0.2", "--rate", "5"), "--rate 5 is out of range"),
        ((*ONE[1:], "--vol", "0.2", "--as-of", "2020-01-02"), "--as-of is for a chain"),
        ((*ONE[1:], "--market", "3.9"), "has no implied volatility"),
        ((*ONE[1:], "--market", "42"), "has no implied volatility"),
        (("--chain", "none.csv"), "no such file"),
        (("--chain", "chain.txt"), "found a .txt file"),
        (("call", "--chain", "none.csv", "--vol", "0.2", "--american"), "kind, vol, american given with --chain"),
    ],
)
def test_what_cannot_be_priced_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], says: str) -> None:
    done = parley("price", *arguments, "--json")

    assert done.code == 2
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEADER.replace(",close", "") + "\n", "columns close are missing"),
        (HEADER + "\n", "no rows"),
        (f"{HEADER}\n{CALL}\n{PUT.replace('2.5', '')}\n", "row 2: close is not a number (1 such rows)"),
        (f"{HEADER}\n{CALL.replace(',100,C', ',nan,C')}\n", "row 1: strike is not a number"),
        (f"{HEADER}\n{CALL.replace('3.0', '-3')}\n", "row 1: close is negative"),
        (f"{HEADER}\n{CALL.replace(',C,', ',X,')}\n", "row 1: right is neither C nor P"),
        (f"{HEADER}\n{CALL.replace('07-17', '05-15')}\n", "row 1: the contract had expired"),
        (f"{HEADER}\n{CALL.replace('2020-06-08', 'soon')}\n", "row 1: file_date is not a day"),
        (f"{HEADER}\n{CALL}\n{PUT}\n{CALL}\n", "row 3: the same contract and day"),
        (f"{HEADER}\n{CALL}\n{PUT[:-3]}101\n", "row 2: underlying_close differs"),
        (f"{HEADER},bid,ask\n{CALL},3.1,2.9\n", "row 1: bid is above ask: a crossed quote"),
        (f"{HEADER},low,high\n{CALL},3.1,3.2\n", "row 1: close does not lie between low and high"),
        (f"{HEADER},underlying\n{CALL},A\n{PUT},B\n", "holds 2 underlyings (A, B)"),
    ],
)
def test_a_bad_chain_file_is_refused_with_its_row(parley: Any, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "chain.csv"
    path.write_text(text)

    done = parley("price", "--chain", path, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "data_file_error"
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]


def test_a_chain_of_quotes_is_read_at_the_middle_and_a_day_without_rows_is_refused(parley: Any, tmp_path: Path) -> None:
    path = tmp_path / "chain.csv"
    lines = [
        f"2020-06-08,2020-07-17,{strike},{right},0,0,5,100,{middle - 0.1:.2f},{middle + 0.1:.2f}"
        for strike, call, put in ((95, 6.5, 1.5), (100, 3.0, 3.0), (105, 1.5, 6.5))
        for right, middle in (("C", call), ("P", put))
    ]
    path.write_text("\n".join([f"{HEADER},bid,ask", *lines]) + "\n")

    found = parley("price", "--chain", path, "--json").document
    refused = parley("price", "--chain", path, "--as-of", "2020-06-09", "--json")

    assert found["underlying"] == "chain"
    assert found["expiries"][0]["forward"] == pytest.approx(100.0)
    assert found["expiries"][0]["move"]["fraction"] == pytest.approx(0.06)
    assert "refused" in found["expiries"][0]["smile"]
    assert "refused" in found["unusual"]
    assert refused.code == 2
    assert "no such day" in refused.document["error"]["message"]
    assert page_problems(Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())) == []


@pytest.mark.slow
def test_the_recorded_chain_of_apple_makes_sense_and_every_number_of_its_page_has_a_source(
    parley: Any, apple: Path
) -> None:
    found = parley("price", "--chain", apple, "--as-of", "2014-06-16", "--out", "apple.html", "--json").document

    html, twin = Path("apple.html").read_text(), json.loads(Path("apple.json").read_text())
    assert found["as_of"] == "2014-06-16"
    assert len(found["expiries"]) == 11
    for expiry in found["expiries"]:
        # Wide bounds of a calm month in a large stock: a wrong forward or time would leave them at once.
        assert 0.15 < expiry["smile"]["at_the_money"] < 0.30
        assert 88.0 < expiry["forward"] < 94.0
        assert expiry["smile"]["is_free"]
        assert expiry["status"]["in_smile"] >= 10
    assert all(row["is_free"] for row in found["calendar"])
    assert 0.2 < found["flow"]["volume"] < 1.0
    assert len(found["unusual"]["rows"]) > 0
    assert html.count('class="chart"') == 11
    assert page_problems(html, twin) == []
    assert html.count("data-ref=") > 200


def test_without_a_day_the_last_with_both_sides_is_read_the_same_twice_and_in_words(
    parley: Any, apple: Path, tmp_path: Path
) -> None:
    import pandas as pd

    chain: Any = pd.read_parquet(apple)
    few = chain[chain["file_date"].astype(str).isin(["2014-06-05", "2015-12-11"])]
    path = tmp_path / "few.parquet"
    few[few["expiry"].astype(str).isin(["2014-07-19", "2016-01-15"])].to_parquet(path)

    found = parley("price", "--chain", path, "--json").document
    text = parley("price", "--chain", path, "--out", "again.html").out

    # The file's last day has one call and no put.
    assert found["as_of"] == "2014-06-05"
    assert found["expiries"][0]["forward"] == pytest.approx(648.0, abs=3.0)
    assert f"{found['expiries'][0]['forward']:.2f}" in text
    assert Path(found["html"]).read_text() == Path("again.html").read_text()
