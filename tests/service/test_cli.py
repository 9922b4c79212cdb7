"""The command line's contract: one JSON document, the keys scripts rely on, the exit codes, and bad input."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

METRICS = {"total_return", "annual_return", "sharpe", "sortino", "max_drawdown", "turnover", "costs_bps"}
RUN_KEYS = {
    "book", "head_hash", "data", "start", "end", "sessions", "decisions", "orders", "fills", "vetoes", "abstentions",
    "llm_calls", "metrics", "baselines", "report",
}  # fmt: skip
START, END = "2016-01-08", "2016-01-14"
KEY = "sk-never-to-be-seen"


def listing(folder: Path) -> dict[str, bytes | None]:
    """Every path under a folder, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def ran(parley: Any, six_names: Path) -> Any:
    """A finished run of five sessions in ./book, and its document."""
    done = parley("run", "--data", six_names, "--start", START, "--end", END, "--reports", "none", "--json")
    assert done.code == 0, done.out
    return done.document


def test_run_says_everything_scripts_rely_on(ran: Any, six_names: Path) -> None:
    assert set(ran) >= RUN_KEYS
    assert set(ran["metrics"]) >= METRICS
    assert set(ran["baselines"]["equal_weight"]) >= METRICS
    assert (ran["sessions"], ran["decisions"], ran["orders"]) == (5, 5, 6)
    assert (ran["data"], ran["start"], ran["end"]) == (str(six_names), START, END)
    assert ran["report"] is None
    assert ran["fills"] >= ran["orders"]


def test_the_same_run_has_the_same_hash_in_the_same_and_in_another_book(parley: Any, ran: Any, six_names: Path) -> None:
    again = [
        parley("run", "--data", six_names, "--start", START, "--end", END, "--reports", "none", "--json", *rest)
        for rest in ([], ["--book", "other"], ["--seed", "7"], ["--seed", "8"])
    ]

    same = [ran["head_hash"], ran["orders"], ran["fills"]]
    assert [[item.document[key] for key in ("head_hash", "orders", "fills")] for item in again[:3]] == [same] * 3
    assert again[3].document["head_hash"] != ran["head_hash"]


def test_replay_and_verify_agree_with_the_run(parley: Any, ran: Any) -> None:
    replayed, verified = parley("replay", "--json"), parley("verify", "--json")

    assert (replayed.code, verified.code) == (0, 0)
    assert replayed.document == {
        "run": ran["run"], "decisions": 5, "events": verified.document["events"], "identical": True,
        "first_difference": None, "model_calls": 0, "is_finished": True,
    }  # fmt: skip
    assert verified.document["ok"] is True
    assert verified.document["head_hash"] == ran["head_hash"]
    assert verified.document["first_bad"] is None


def test_decide_says_everything_scripts_rely_on(parley: Any, six_names: Path) -> None:
    done = parley("decide", "--as-of", "2016-01-09", "--data", six_names, "--json")

    assert done.code == 0
    found = done.document
    assert found["as_of"] == "2016-01-08T21:00:00+00:00"  # a Saturday: the close before it
    assert {frozenset(leg) for leg in found["legs"]} == {frozenset({"symbol", "side", "quantity", "reason"})}
    assert found["verdict"] == {"approved": True, "reasons": []}
    assert found["calls"] == 4
    assert 0 < found["prompt_tokens"] < 8_000
    assert parley("explain", found["decision_id"], "--json").code == 0


def test_a_moment_before_the_close_is_decided_at_the_close_before(parley: Any, six_names: Path) -> None:
    at_noon = parley("decide", "--as-of", "2016-01-12T17:00:00+00:00", "--data", six_names, "--json")
    compact_day = parley("decide", "--as-of", "20160112", "--data", six_names, "--json")

    assert at_noon.document["as_of"] == "2016-01-11T21:00:00+00:00"
    assert compact_day.document["as_of"] == "2016-01-12T21:00:00+00:00"


def test_a_decision_the_desk_must_refuse_is_a_business_failure(parley: Any, six_names: Path) -> None:
    done = parley("decide", "--as-of", "2015-03-02", "--data", six_names, "--json")

    assert done.code == 1
    assert done.document["verdict"]["approved"] is False
    assert "253 are needed" in done.document["verdict"]["reasons"][0]


def test_a_run_on_too_short_a_history_refuses_each_day_and_ends_well(parley: Any, six_names: Path) -> None:
    done = parley("run", "--data", six_names, "--end", "2015-01-09", "--json", "--reports", "none")

    assert done.code == 0
    assert (done.document["decisions"], done.document["orders"]) == (6, 0)
    assert done.document["metrics"]["total_return"] == 0.0


def test_explain_writes_a_page_and_its_twin_for_every_kind(parley: Any, ran: Any, tmp_path: Path) -> None:
    from parley.desk.book import Book, open_log

    with open_log(Book(Path("book")).latest(), readonly=True) as (_, views):
        order, decision = views.orders()[0].order_id, views.decisions()[0].decision_id

    for ident, kind in ((order, "trade"), (decision, "decision"), ("run", "run")):
        found = parley("explain", ident, "--json").document
        assert found["kind"] == kind
        assert Path(found["html"]).read_text().startswith("<!doctype html>")
        assert json.loads(Path(found["json"]).read_text())

    assert parley("explain", order, "--out", tmp_path / "mine.html").code == 0
    assert (tmp_path / "mine.json").exists()
    assert parley("explain", "run", "--out", tmp_path / "whole.html", "--json").document["kind"] == "run"
    assert (tmp_path / "whole.html").exists()


def test_run_writes_its_reports_beside_its_log(parley: Any, six_names: Path) -> None:
    done = parley("run", "--data", six_names, "--start", START, "--end", START, "--json")

    assert done.code == 0
    report = Path(done.document["report"])
    assert report.name == f"{done.document['run']}.html"
    assert report.parent.name == "reports"


def test_an_order_that_no_session_worked_is_explained_by_its_decision(parley: Any, six_names: Path) -> None:
    from parley.desk.book import Book, open_log

    parley("run", "--data", six_names, "--start", START, "--end", START, "--reports", "none")
    with open_log(Book(Path("book")).latest(), readonly=True) as (_, views):
        order = views.orders()[0]

    found = parley("explain", order.order_id, "--json").document

    assert (found["kind"], found["id"]) == ("decision", order.decision_id)


def test_the_data_commands_say_what_scripts_rely_on(parley: Any, six_names: Path) -> None:
    listed, checked = parley("data", "list", "--json").document, parley("data", "check", six_names, "--json").document

    assert [item["name"] for item in listed["data"]] == [
        "us20",
        "us5",
        "sp500",
        "factors5",
        "us20+bond",
        "market",
        "market+bond",
    ]
    assert (checked["rows"], checked["symbols"]) == (262 * 6, 6)
    assert all(set(item) >= {"code", "symbol", "row", "text"} for item in checked["findings"])


def test_a_check_names_the_row_that_a_run_would_refuse(parley: Any, six_names: Path, tmp_path: Path) -> None:
    path = broken(six_names, tmp_path, lambda rows: [*rows[:5], rows[5].replace(",2000000", ",-1"), *rows[6:]])

    found = parley("data", "check", path, "--json").document["findings"]

    assert {("non_positive", "N0", 5)} == {
        (item["code"], item["symbol"], item["row"]) for item in found if "volume is negative" in item["text"]
    }


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--reports", "none"), ("verify",), ("replay",), ("explain", "run"), ("data", "list"), ("doctor",),
        ("decide", "--as-of", START),
    ],
)  # fmt: skip
def test_people_get_text_and_machines_one_document(parley: Any, ran: Any, command: tuple[str, ...]) -> None:
    options = ["--data", ran["data"]] if command[0] in ("run", "decide") else []
    options += ["--start", START, "--end", END] if command[0] == "run" else []

    text, machine = parley(*command, *options), parley(*command, *options, "--json")

    assert text.code == machine.code == 0
    assert isinstance(machine.document, dict)
    assert machine.err == text.err == ""
    with pytest.raises(json.JSONDecodeError):
        json.loads(text.out)


def broken(source: Path, folder: Path, change: Any) -> Path:
    """A copy of a market file with its lines (header first) changed."""
    path = folder / "broken.csv"
    path.write_text("\n".join(change(source.read_text().splitlines())) + "\n")
    return path


def _cell(row: str, place: int, value: str) -> str:
    cells = row.split(",")
    cells[place] = value
    return ",".join(cells)


BAD_FILES = {
    "a missing column": (lambda rows: [rows[0].replace("close", "klose"), *rows[1:]], "column close is missing"),
    "an empty price": (lambda rows: [*rows[:3], _cell(rows[3], 4, ""), *rows[4:]], "row 3: N0 2015-01-06"),
    "a NaN price": (lambda rows: [*rows[:3], _cell(rows[3], 4, "NaN"), *rows[4:]], "row 3: N0 2015-01-06"),
    "a zero price": (lambda rows: [*rows[:9], _cell(rows[9], 4, "0"), *rows[10:]], "row 9: N0"),
    "a negative price": (lambda rows: [*rows[:9], _cell(rows[9], 4, "-3.5"), *rows[10:]], "row 9: N0"),
    "a word for a price": (lambda rows: [*rows[:9], _cell(rows[9], 4, "ten"), *rows[10:]], "row 9: close is 'ten'"),
    "a day twice": (lambda rows: [*rows[:8], rows[7], *rows[8:]], "row 8: N0"),
    "days out of order": (lambda rows: [*rows[:7], rows[8], rows[7], *rows[9:]], "row 8: N0"),
    "a holiday": (lambda rows: [*rows[:2], _cell(rows[2], 1, "2015-01-04"), *rows[3:]], "row 2: N0 2015-01-04"),
    "no rows": (lambda rows: rows[:1], "has no rows"),
    "nothing at all": (lambda rows: [], "broken.csv"),
    "another time zone": (
        lambda rows: ["symbol,ts,close", "N0,2016-01-08T14:30:00+00:00,40.0"],
        "row 1: N0 2016-01-08: ts is not in the exchange's zone, America/New_York",
    ),
    "no time zone": (lambda rows: ["symbol,ts,close", "N0,2016-01-08T09:30:00,40.0"], "row 1: ts"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_named_with_its_row_and_nothing_is_touched(
    parley: Any, ran: Any, six_names: Path, tmp_path: Path, fault: str
) -> None:
    change, said = BAD_FILES[fault]
    path = broken(six_names, tmp_path, change)
    before = listing(tmp_path)

    done = parley("run", "--data", path, "--json")

    error = done.document["error"]
    assert done.code == 2
    assert "broken.csv" in error["message"]
    assert said in error["message"]
    assert error["remedy"]
    assert error["code"] == "data_file_error"
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["junk.csv", "junk.parquet"])
def test_a_file_of_another_kind_is_named(parley: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00PAR1 not market rows" * 9)

    done = parley("run", "--data", name)

    assert done.code == 2
    assert name in done.err
    assert "Traceback" not in done.err


BAD_USE = {
    "an unknown data set": (["run", "--data", "us99"], "'us99' is neither"),
    "a range without sessions": (["run", "--data", "FILE", "--start", "1970-01-01", "--end", "1970-02-01"], "no sess"),
    "a start after the end": (["run", "--start", "2021-01-02", "--end", "2021-01-01"], "is after --end"),
    "a day that is none": (["run", "--start", "2021-02-30"], "'2021-02-30' is neither a day nor a time"),
    "an unknown model": (["run", "--data", "FILE", "--model", "gpt-9"], "'gpt-9' needs an endpoint"),
    "an unknown kind of reports": (["run", "--reports", "some"], "--reports 'some'"),
    "a negative seed": (["run", "--seed", "-1"], "0"),
    "a seed that is no number": (["run", "--seed", "x"], "integer"),
    "an unknown option": (["run", "--nope"], "--nope"),
    "an unknown command": (["fly"], "'fly'"),
    "a missing argument": (["decide"], "as"),
    "a settings file that is not there": (["run", "--config", "gone.toml"], "gone.toml: no such settings file"),
    "a moment that is none": (["decide", "--as-of", "noon", "--data", "FILE"], "'noon' is neither a day"),
    "a moment before the data": (["decide", "--as-of", "1990-01-01", "--data", "FILE"], "no session"),
    "a moment the data do not reach": (["decide", "--as-of", "2016-03-01", "--data", "FILE"], "data end with"),
    "an unknown run": (["verify", "run-nope"], "'run-nope' names 0 runs"),
    "an unknown run to replay": (["replay", "run-nope"], "'run-nope' names 0 runs"),
    "an unknown id": (["explain", "dec-nope"], "'dec-nope' is no decision or order"),
    "a page that is none": (["explain", "run", "--out", "page.pdf"], "page.pdf is not an HTML file"),
    "an unknown bench": (["bench", "coffee"], "'coffee'"),
    "a data set to check that is not there": (["data", "check", "gone.csv"], "'gone.csv' is neither"),
}


@pytest.mark.parametrize("fault", BAD_USE)
def test_bad_use_is_told_with_a_remedy_and_the_book_stays_as_it_was(
    parley: Any, ran: Any, six_names: Path, tmp_path: Path, fault: str
) -> None:
    arguments, said = BAD_USE[fault]
    arguments = [str(six_names) if item == "FILE" else item for item in arguments]
    before = listing(tmp_path)

    text, machine = parley(*arguments), parley(*arguments, "--json")

    assert text.code == machine.code == 2
    assert set(machine.document["error"]) == {"code", "message", "remedy"}
    assert said in machine.document["error"]["message"]
    assert machine.document["error"]["remedy"]
    assert text.out == ""
    assert text.err.startswith("error: ")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("arguments", [["verify"], ["replay"], ["explain", "x"], ["run", "--data", "us99"]])
def test_a_book_that_is_not_there_is_not_made_by_a_mistake(parley: Any, tmp_path: Path, arguments: list[str]) -> None:
    assert parley(*arguments, "--book", "new").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PARLEY_TURBO", "1", "setting turbo is unknown"),
        ("PARLEY_COSTS__FEE_BPS", "-1", "setting costs.fee_bps"),
        ("PARLEY_LIMITS_FILE", "gone-limits.toml", "gone-limits.toml"),
        ("PARLEY_LLM_MODEL", "small", "'small' needs an endpoint"),
    ],
)
def test_a_bad_variable_stops_a_run_before_anything_is_written(
    parley: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    done = parley("run", "--json")

    assert done.code == 2
    assert said in done.document["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_broken_settings_file_stops_a_run_before_anything_is_written(parley: Any, tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("cash = = 3")

    done = parley("run", "--json")

    assert done.code == 2
    assert "parley.toml" in done.document["error"]["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["parley.toml"]


@pytest.mark.parametrize("book", ["file", "file/book"])
def test_a_book_on_or_under_a_file_is_refused(parley: Any, six_names: Path, tmp_path: Path, book: str) -> None:
    (tmp_path / "file").write_text("x")

    done = parley("run", "--data", six_names, "--book", book, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "book_error"
    assert listing(tmp_path) == {"file": b"x"}


def log_of(document: Any) -> Path:
    return Path("book") / "runs" / document["run"] / "log.db"


def test_one_flipped_byte_of_an_event_is_found_and_named(parley: Any, ran: Any) -> None:
    log = log_of(ran)
    data = bytearray(log.read_bytes())
    data[data.index(b'"venue":"paper"') + 9] ^= 0x20
    log.write_bytes(data)

    done = parley("verify", "--json")

    assert done.code == 1
    assert done.document["ok"] is False
    assert done.document["first_bad"]["seq"] == done.document["events"] + 1
    assert "hash" in done.document["first_bad"]["reason"]
    text = parley("verify")
    assert text.code == 1
    assert f"bad: event {done.document['first_bad']['seq']}" in text.out


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_log_that_was_cut_short_is_bad_and_not_a_crash(parley: Any, ran: Any, kept: float) -> None:
    log = log_of(ran)
    data = log.read_bytes()
    log.write_bytes(data[: int(len(data) * kept)])

    done = parley("verify", "--json")

    assert done.code == 1
    assert done.document["ok"] is False
    assert done.document["first_bad"] or done.document["damage"]


def test_damage_to_the_first_bytes_is_damage_still(parley: Any, ran: Any) -> None:
    log = log_of(ran)
    data = bytearray(log.read_bytes())
    for place in (0, 5, 16, 20):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        log.write_bytes(flipped)

        done = parley("verify", "--json")

        assert done.code == 1, place
        assert done.document["damage"]


@pytest.mark.parametrize("content", [b"", b"dear diary, " * 500])
def test_a_file_that_is_no_log_is_bad_use(parley: Any, ran: Any, content: bytes) -> None:
    log_of(ran).write_bytes(content)

    for command in ("verify", "replay"):
        done = parley(command, "--json")
        assert done.code == 2
        assert "log.db" in done.document["error"]["message"]


def test_a_book_whose_latest_run_is_gone_says_so(parley: Any, ran: Any) -> None:
    log_of(ran).unlink()

    assert parley("verify").code == 2
    assert "names 0 runs" in parley("replay").err


def test_no_secret_reaches_the_book_or_the_screen(
    parley: Any, monkeypatch: pytest.MonkeyPatch, six_names: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARLEY_LLM_API_KEY", KEY)
    monkeypatch.setenv("PARLEY_LLM_BASE_URL", f"http://user:{KEY}@127.0.0.1:9/v1?token={KEY}")

    said = [
        parley("run", "--data", six_names, "--start", START, "--end", START, "--reports", "all"),
        parley("decide", "--data", six_names, "--as-of", START),
        parley("doctor"),
        parley("doctor", "--json"),
        parley("run", "--data", "us99"),
    ]

    assert [item.code for item in said] == [0, 0, 1, 1, 2], (
        "an endpoint that is configured and does not answer is not well"
    )
    assert "127.0.0.1:9/v1" in said[2].out
    assert not [item for item in said if KEY in item.out + item.err]
    assert not [name for name, content in listing(tmp_path).items() if content and KEY.encode() in content]
    assert len(listing(tmp_path)) > 10


def test_the_doctor_finds_a_bad_setting_and_a_book_that_cannot_be(
    parley: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    well = parley("doctor", "--book", "a/b/c", "--json")
    monkeypatch.setenv("PARLEY_TURBO", "1")

    ill = parley("doctor", "--book", "file/book", "--json")

    assert (well.code, ill.code) == (0, 1)
    bad = {item["what"]: item["text"] for item in ill.document["findings"] if item["state"] == "bad"}
    assert "turbo is unknown" in bad["settings"]
    assert "--book" in bad["book"]


def test_the_book_may_be_named_by_a_variable(parley: Any, monkeypatch: pytest.MonkeyPatch, six_names: Path) -> None:
    monkeypatch.setenv("PARLEY_BOOK", "elsewhere")

    done = parley("run", "--data", six_names, "--start", START, "--end", START, "--json", "--reports", "none")

    assert done.document["book"] == "elsewhere"
    assert Path("elsewhere/latest").exists()


def test_a_fault_of_our_own_is_told_without_a_traceback(parley: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str, _every: object, _store: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("parley.service.preparing.load_to_decide", fail)

    done = parley("run", "--json")

    assert done.code == 1
    assert done.document["error"]["code"] == "internal_error"
    assert "ZeroDivisionError: by zero" in done.document["error"]["message"]
    assert "PARLEY_DEBUG" in done.document["error"]["remedy"]
    assert done.err == ""


def test_the_version_and_the_help_are_printed(parley: Any) -> None:
    from parley import __version__

    assert parley("--version").out == f"{__version__}\n"
    assert "resume" in parley("run", "--help").out
    assert parley().code == 2


@pytest.mark.slow
def test_the_fast_path_bench_prints_its_figures_beside_their_goals(parley: Any) -> None:
    done = parley("bench", "fast-path", "--json")

    assert set(done.document) == {"machine", "rows"}
    assert {"cpu", "cores", "python"} <= set(done.document["machine"])
    for row in done.document["rows"]:
        assert {"name", "p50", "p99", "unit", "goal", "ok"} <= set(row)
        assert 0 <= row["p50"] <= row["p90"] <= row["p99"] <= row["p999"] <= row["most"]
        # The garbage collections are there to be none; everything else takes its time.
        assert (row["p50"] == 0) is (row["name"] == "garbage collections in the session")
        # Some goals are of the 99th percentile as well.
        assert row["p50"] <= row["goal"] or not row["ok"]
    assert done.code == (0 if all(row["ok"] for row in done.document["rows"]) else 1)


def test_an_imported_file_is_listed_runs_and_replays_by_its_name(parley: Any, six_names: Path, tmp_path: Path) -> None:
    source = Path(shutil.copy(six_names, tmp_path / "source.csv"))
    imported = parley("data", "import", source, "--name", "six", "--json")
    assert (imported.code, imported.document["name"], imported.document["replaced"]) == (0, "six", False)
    source.unlink()

    listed = parley("data", "list", "--json")
    ran = parley("run", "--data", "six", "--start", "2016-01-04", "--reports", "none", "--json")
    again = parley("replay", "--json")

    assert "six" in {row["name"] for row in listed.document["data"]}
    assert (ran.code, ran.document["data"]) == (0, "six")
    assert again.document["identical"] is True


def test_a_refused_import_leaves_no_book(parley: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("symbol,date,close\nAAA,2020-01-03,1\nAAA,2020-01-02,1\n")

    refused = parley("data", "import", bad, "--name", "bad", "--json")

    assert (refused.code, "--sort" in refused.document["error"]["remedy"]) == (2, True)
    assert not Path("book").exists()
    assert parley("data", "import", bad, "--name", "bad", "--sort", "--json").code == 0
