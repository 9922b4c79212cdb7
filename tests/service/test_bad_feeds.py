"""Bad feeds from the command line: each fault is found by its name, and no order is sent on what is bad."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import ChildSubmitted, DecisionMade, Payload
from parley.domain.views import AbstainReason
from parley.market.datasets import load_data

NEW_YORK = timezone(timedelta(hours=-4))
OPENS = datetime(2013, 10, 7, 9, 30, tzinfo=NEW_YORK)
HEAD = "symbol,ts,open,high,low,close,volume,bid,ask,bid_size,ask_size"
Row = dict[str, Any]
Kind = TypeVar("Kind", bound=Payload)
Change = Callable[[list[Row]], list[Row]]


def minutes() -> list[Row]:
    """A session of AAA and BBB, two cents wide, that moves a cent up and down and drifts."""
    rows: list[Row] = []
    for place, symbol in enumerate(("AAA", "BBB")):
        for minute in range(390):
            close = 100 + 10 * place + (minute * 7 % 11) / 100 + minute * (place + 1) / 1000
            values = {"open": close, "high": close + 0.02, "low": close - 0.02, "close": close}
            prices = {name: round(value, 2) for name, value in values.items()}
            quote = {"bid": prices["close"] - 0.01, "ask": prices["close"] + 0.01, "bid_size": 500, "ask_size": 500}
            ts = (OPENS + timedelta(minutes=minute)).isoformat()
            rows.append({"symbol": symbol, "ts": ts, **prices, "volume": 90000, **quote})
    return rows


def of_aaa(rows: list[Row], change: Callable[[Row], Row], first: int = 0, last: int = 390) -> list[Row]:
    return [change(dict(row)) if first <= place < last else row for place, row in enumerate(rows)]


FAULTS: dict[str, tuple[Change, str, bool]] = {
    # What is done to the rows of AAA, the code it is found by, and whether a run refuses the whole file.
    "crossed": (lambda rows: of_aaa(rows, lambda row: row | {"bid": row["ask"] + 0.05}), "crossed", False),
    "locked, without a spread": (lambda rows: of_aaa(rows, lambda row: row | {"bid": row["ask"]}), "locked", False),
    "nothing at the touch": (lambda rows: of_aaa(rows, lambda row: row | {"ask_size": 0}), "no_size", False),
    "one trade": (lambda rows: [rows[200], *rows[390:]], "one_trade", False),
    "silent for an hour": (lambda rows: [*rows[:100], *rows[160:]], "halt", False),
    "negative size": (lambda rows: of_aaa(rows, lambda row: row | {"bid_size": -5}, 10, 11), "non_positive", True),
    "told twice": (lambda rows: [*rows[:11], *rows[10:]], "duplicate", True),
    "out of order": (lambda rows: [*rows[:10], rows[11], rows[10], *rows[12:]], "unsorted", True),
}


def written(path: Path, rows: list[Row]) -> Path:
    lines = [",".join(str(row[name]) for name in HEAD.split(",")) for row in rows]
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


def sent() -> list[Any]:
    return [payload.child for payload in recorded(ChildSubmitted)]


def recorded(kind: type[Kind]) -> list[Kind]:
    """What the run wrote of a kind."""
    with open_log(Book(Path("book")).latest(), readonly=True) as (log, _):
        payloads = [event.decoded() for event in log.read(types=(kind,))]
    return [payload for payload in payloads if isinstance(payload, kind)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_quotes_is_found_by_its_name(parley: Any, tmp_path: Path, fault: str) -> None:
    change, code, is_refused = FAULTS[fault]

    found = parley("data", "check", written(tmp_path / "bad.csv", change(minutes())), "--json")

    assert (found.code, found.document["refused"] > 0) == (int(is_refused), is_refused)
    assert code in {item["code"] for item in found.document["findings"]}
    sound = parley("data", "check", written(tmp_path / "good.csv", minutes()), "--json").document
    assert sound["findings"] == []


def test_the_check_of_a_recording_as_it_is_decided_on_lists_every_error_too(parley: Any, tmp_path: Path) -> None:
    rows = of_aaa(minutes(), lambda row: row | {"bid_size": -5}, 10, 40)
    bad = written(tmp_path / "bad.csv", rows)

    found = parley("data", "check", f"{bad}@30m", "--json")

    assert (found.code, found.document["refused"]) == (1, 30)
    assert {item["row"] for item in found.document["findings"] if item["code"] == "non_positive"} == {*range(11, 41)}
    assert "30 of them are errors" in parley("data", "check", f"{bad}@30m").out
    assert parley("data", "check", f"{written(tmp_path / 'good.csv', minutes())}@30m", "--json").code == 0
    assert parley("data", "check", f"{tmp_path / 'gone.csv'}@30m", "--json").code == 2


def test_a_folder_of_quotes_and_trades_names_the_files_in_it(parley: Any, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    first, second = (written(tmp_path / "many" / f"{name}.csv", minutes()) for name in "ab")

    error = parley("run", "--data", tmp_path / "many", "--every", "30m", "--json").document["error"]

    assert str(first) in error["remedy"] and str(second) in error["remedy"]


@pytest.mark.parametrize("every", [(), ("--every", "30s")])
def test_a_raw_feed_is_refused_as_what_it_is(parley: Any, tmp_path: Path, every: tuple[str, ...]) -> None:
    feed = tmp_path / "feed.gz"
    feed.write_bytes(gzip.compress(f"17231{snapshot(1000)}\n".encode()))

    done = parley("run", "--data", feed, *every, "--json")

    assert done.code == 2 and "is a raw feed" in done.document["error"]["message"]
    assert f"bench replay --feed {feed}" in done.document["error"]["remedy"]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_order_goes_out_on_a_fault(parley: Any, tmp_path: Path, fault: str) -> None:
    change, _, is_refused = FAULTS[fault]
    path = written(tmp_path / "bad.csv", change(minutes()))

    done = parley("run", "--data", path, "--every", "30m", "--reports", "none", "--json")

    if is_refused:
        assert done.code == 2
        assert done.document["error"]["code"] == "data_file_error"
        return
    assert done.code == 0, done.out
    mine = [child for child in sent() if child.symbol == "AAA"]
    if fault == "silent for an hour":
        since, until = OPENS + timedelta(minutes=101), OPENS + timedelta(minutes=160)
        mine = [child for child in mine if since < child.created_at < until]
    assert mine == []
    if fault.startswith(("crossed", "locked")):
        plans = [item.decision for item in recorded(DecisionMade)]
        assert not [leg for plan in plans if plan.plan for leg in plan.plan.legs if leg.symbol == "AAA"]
        said = [item.text for plan in plans for item in plan.abstentions if item.reason is AbstainReason.UNSOUND_BOOK]
        assert said and all("no order in AAA:" in text for text in said)


def test_a_book_is_unsound_from_the_moment_that_is_known_until_the_next_sound_quote(tmp_path: Path) -> None:
    rows = of_aaa(minutes(), lambda row: row | {"bid": row["ask"]}, 10, 12)

    history = load_data(f"{written(tmp_path / 'bad.csv', rows)}@30m").history()

    known = [(minute, history.as_of(OPENS + timedelta(minutes=minute)).unsound) for minute in (10, 11, 12, 13)]
    assert known == [(10, frozenset()), (11, {"AAA"}), (12, {"AAA"}), (13, frozenset())]
    assert history.as_of(OPENS + timedelta(minutes=12.9)).unsound == {"AAA"}


@pytest.fixture
def books(tmp_path: Path) -> Callable[..., Path]:
    """Snapshots of one coin a second, two levels deep; a fault is a change of the rows."""

    def write(change: Change = lambda rows: rows) -> Path:
        start = datetime(2024, 8, 8, 12, tzinfo=NEW_YORK)
        rows: list[Row] = []
        for second in range(300):
            mid = 60_000 + second % 7
            levels = {f"bid{k}_px": mid - k for k in (1, 2)} | {f"ask{k}_px": mid + k for k in (1, 2)}
            sizes = {f"{side}{k}_sz": 2 for side in ("bid", "ask") for k in (1, 2)}
            rows.append({"ts": (start + timedelta(seconds=second)).isoformat(), "symbol": "COIN", **levels, **sizes})
        rows = change(rows)
        lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
        path = tmp_path / "books.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("crossed", lambda rows: of_aaa(rows, lambda row: row | {"bid1_px": row["ask1_px"] + 1}, 10, 12)),
        ("locked", lambda rows: of_aaa(rows, lambda row: row | {"bid1_px": row["ask1_px"]}, 10, 12)),
        ("one_sided", lambda rows: of_aaa(rows, lambda row: row | {"bid1_px": "", "bid2_px": ""}, 10, 12)),
        ("no_size", lambda rows: of_aaa(rows, lambda row: row | {"ask1_sz": 0}, 10, 12)),
        ("bad_number", lambda rows: of_aaa(rows, lambda row: row | {"ask1_sz": -1}, 10, 12)),
        ("out_of_order", lambda rows: [*rows[:10], rows[11], rows[10], *rows[12:]]),
        ("same_time", lambda rows: [*rows[:11], *rows[10:]]),
        ("gap", lambda rows: [*rows[:100], *rows[200:]]),
        ("level_order", lambda rows: of_aaa(rows, lambda row: row | {"bid2_px": row["bid1_px"] + 5}, 10, 12)),
        ("one_trade", lambda rows: rows[:1]),
    ],
)
def test_a_fault_of_order_books_is_found_by_its_name(
    parley: Any, books: Callable[..., Path], code: str, change: Change
) -> None:
    found = parley("data", "check", books(change), "--json").document

    assert code in {item["code"] for item in found["findings"]}


def test_sound_order_books_have_no_finding_alone_and_in_their_folder(parley: Any, books: Callable[..., Path]) -> None:
    path = books()

    for name in (path, path.parent):
        found = parley("data", "check", name, "--json").document
        assert (found["findings"], found["rows"], found["symbols"]) == ([], 300, 1)


def line(at: int, first: int, last: int, before: int, size: str = "1.0", price: str = "100.0") -> str:
    event = {"e": "depthUpdate", "E": at, "T": at, "s": "X", "U": first, "u": last, "pu": before}
    data = {**event, "b": [[price, size]], "a": [["101.0", "1.0"]]}
    return f"{at * 1_000_000 + 1} {json.dumps({'stream': 'x@depth', 'data': data})}"


def snapshot(at: int) -> str:
    whole = {"lastUpdateId": 0, "E": at, "T": at, "bids": [["99.0", "1.0"]], "asks": [["101.0", "1.0"]]}
    return f"{at * 1_000_000 + 1} {json.dumps(whole)}"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("gap", [line(1000, 1, 2, 0), line(1001, 9, 10, 8)]),
        ("duplicated", [line(1000, 1, 2, 0), line(1000, 1, 2, 0)]),
        ("out_of_order", [line(1000, 1, 2, 0), line(1001, 3, 4, 2), line(1002, 1, 1, 0)]),
        ("negative_size", [line(1000, 1, 2, 0), line(1001, 3, 4, 2, size="-1.0")]),
        ("bad_price", [line(1000, 1, 2, 0), line(1001, 3, 4, 2, price="0.0")]),
        ("crossed", [snapshot(1000), line(1000, 1, 2, 0), line(1001, 3, 4, 2, price="102.0")]),
        ("locked", [snapshot(1000), line(1000, 1, 2, 0), line(1001, 3, 4, 2, price="101.0")]),
        ("malformed", [line(1000, 1, 2, 0), "1001000001 {not a message"]),
    ],
)
def test_a_fault_of_a_raw_feed_is_found_by_its_name(parley: Any, tmp_path: Path, code: str, lines: list[str]) -> None:
    # Local times are in nanoseconds of these years.
    text = "\n".join(f"17231{item}" for item in lines) + "\n"
    packed, plain = tmp_path / "feed.gz", tmp_path / "feed.txt"
    packed.write_bytes(gzip.compress(text.encode()))
    plain.write_text(text)

    for path in (packed, plain):
        found = parley("data", "check", path, "--json").document
        assert code in {item["code"] for item in found["findings"]}, found
