"""The auditor's commands: verify with signed heads, an order exported and proved from its file, the table of facts."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley import __version__
from parley.desk.book import Book, open_log
from parley.domain.canonical import content_hash
from parley.domain.decisions import Decision
from parley.domain.events import DecisionMade, OrderFilled, RunStarted
from parley.domain.views import Regime
from parley.gate.dynamic import dynamic_limits
from parley.gate.limits import load_limits
from parley.memory.event_table import COLUMNS, body_of
from parley.memory.history import run_started
from parley.service.attesting import HOST_FIELDS, HOSTS, attested, code_hash, commit
from parley.service.audit_fields import FIELDS, FINDINGS, audit_document
from parley.service.console import Console
from parley.service.limit_rules import reachable_limits
from parley.service.preparing import RunRequest
from parley.service.running import perform_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def signed(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with one run of five sessions whose closes are signed."""
    book = tmp_path_factory.mktemp("audit") / "book"
    perform_run(
        RunRequest(str(six_names), "2016-01-08", "2016-01-14", None, None, False, "none", book, None), Console(True)
    )
    sign(book)
    return book


def sign(book: Path) -> None:
    folder = Book(book).latest()
    with open_log(folder) as (log, _), attested(folder, log, lambda done, total: None):
        pass


@pytest.fixture
def book(signed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(signed, tmp_path / "book"))


@pytest.fixture(scope="module")
def order(signed: Path) -> str:
    """The first order with a fill."""
    with open_log(Book(signed).latest(), readonly=True) as (log, _):
        return next(event.order_id or "" for event in log.read(types=(OrderFilled,)))


def rewritten(book: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The log as someone writes it who edits events and computes every hash anew."""
    raw = sqlite3.connect(Book(book).latest().log_path, isolation_level=None)
    for trigger in ("events_no_update", "events_no_delete"):
        raw.execute(f"DROP TRIGGER {trigger}")
    raw.execute("BEGIN")
    previous = "0" * 64
    for row in raw.execute(f"SELECT {COLUMNS} FROM events ORDER BY seq").fetchall():
        body = body_of(row)
        change(body)
        body["prev_hash"] = previous
        previous = content_hash(body)
        payload = json.dumps(body["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        raw.execute(
            "UPDATE events SET payload = ?, prev_hash = ?, hash = ? WHERE seq = ?",
            (payload, body["prev_hash"], previous, body["seq"]),
        )
    raw.execute("COMMIT")
    raw.close()


def test_verify_says_what_it_proved(parley: Any, book: Path) -> None:
    done = parley("verify", "--book", book, "--public-key", book / "keys" / "desk.pub", "--json")

    assert (done.code, done.document["ok"], done.document["findings"]) == (0, True, [])
    assert done.document["signed_heads"] == 6  # five closes and the end
    assert done.document["signed_until"] == done.document["events"]
    assert len(done.document["keys"]) == 1


def test_a_log_rewritten_as_a_whole_is_found_by_its_signed_heads_alone(parley: Any, book: Path) -> None:
    before = parley("verify", "--book", book, "--json").document["head_hash"]
    rewritten(book, lambda body: body["payload"].update(parley_version="9") if body["seq"] == 1 else None)
    done = parley("verify", "--book", book, "--json")

    assert done.code == 1
    assert done.document["head_hash"] != before
    assert done.document["first_bad"] is None
    assert {item["code"] for item in done.document["findings"]} == {"head_not_on_chain"}


def test_a_run_that_was_not_signed_is_told_so_and_fails_when_a_key_is_given(parley: Any, book: Path) -> None:
    (Book(book).latest().path / "heads.jsonl").unlink()

    plain = parley("verify", "--book", book)
    asked = parley("verify", "--book", book, "--public-key", book / "keys" / "desk.pub", "--json")

    assert plain.code == 0
    assert "no close was signed" in plain.out
    assert asked.code == 1
    assert {item["code"] for item in asked.document["findings"]} == {"head_missing"}


def test_another_desks_public_key_does_not_pass(parley: Any, book: Path, tmp_path: Path) -> None:
    from parley.storage.signing import own_key

    own_key(tmp_path / "theirs")
    done = parley("verify", "--book", book, "--public-key", tmp_path / "theirs" / "desk.pub", "--json")

    assert done.code == 1
    assert {item["code"] for item in done.document["findings"]} == {"head_key_unknown"}


def test_a_missing_key_file_is_bad_use(parley: Any, book: Path) -> None:
    assert parley("verify", "--book", book, "--public-key", "absent.pub").code == 2


def test_closes_are_signed_as_the_days_go_by(book: Path) -> None:
    folder = Book(book).latest()
    path, calls = folder.path / "heads.jsonl", list[tuple[int, int]]()
    whole = path.read_text().splitlines()
    path.write_text(whole[0] + "\n")
    with open_log(folder) as (log, _), attested(folder, log, lambda done, total: calls.append((done, total))) as told:
        told(3, 5)

        assert (len(path.read_text().splitlines()), calls) == (len(whole), [(3, 5)])


def test_signing_again_changes_nothing(book: Path) -> None:
    path = Book(book).latest().path / "heads.jsonl"
    before = path.read_bytes()
    sign(book)

    assert path.read_bytes() == before


def test_each_process_that_writes_is_noted_with_its_code(book: Path) -> None:
    lines = (Book(book).latest().path / HOSTS).read_text().splitlines()
    noted = json.loads(lines[-1])

    assert set(noted) == set(HOST_FIELDS)
    assert len(noted["code_hash"]) == 64
    assert (noted["commit"], noted["parley_version"]) == (commit(ROOT), __version__)


def test_the_hash_of_the_code_follows_the_code(tmp_path: Path) -> None:
    package = tmp_path / "memory"
    package.mkdir()
    for path in (tmp_path / "__init__.py", package / "__init__.py", package / "log.py"):
        path.write_text("")
    before = code_hash(tmp_path)
    (tmp_path / "notes.txt").write_text("not shipped")
    assert code_hash(tmp_path) == before

    (package / "log.py").write_text("pass")

    assert code_hash(tmp_path) != before


@pytest.mark.parametrize("packed", [False, True])
def test_the_commit_is_read_from_a_checkout(tmp_path: Path, packed: bool) -> None:
    assert commit(tmp_path) is None
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    if packed:
        (git / "packed-refs").write_text("# pack-refs\nabc refs/heads/main\n")
    else:
        (git / "refs" / "heads" / "main").write_text("abc\n")

    assert commit(tmp_path) == "abc"
    (git / "HEAD").write_text("def\n")
    assert commit(tmp_path) == "def"


def test_an_exported_order_tells_its_whole_life(parley: Any, book: Path, order: str) -> None:
    done = parley("export", order, "--book", book, "--json")
    life = json.loads(Path(done.document["file"]).read_text())

    assert (done.code, life["id"], life["kind"], life["order"]["order_id"]) == (0, order, "order", order)
    assert {entry["tool"] for entry in life["decision"]["evidence"]} >= {"target_weights", "portfolio_risk"}
    assert {view["source"] for view in life["decision"]["views"]} == {
        "technical",
        "sentiment",
        "microstructure",
        "macro",
    }
    assert {vote["agent"] for vote in life["decision"]["votes"]} >= {"risk_manager", "market_analyst"}
    assert all(call["prompt_hash"] for call in life["decision"]["model_calls"])
    assert {check["check"] for check in life["gate"]["checks"]} >= {"gross", "cash", "lot"}
    assert life["children"][0]["review"]["verdict_hash"]
    assert (life["reports"][0]["type"], life["reports"][-1]["type"]) == ("OrderOpened", "OrderClosed")
    assert sum(fill["quantity"] for fill in life["fills"]) == life["best_execution"]["filled"]


def test_the_best_execution_fields_of_the_notes_are_there(parley: Any, book: Path, order: str, tmp_path: Path) -> None:
    parley("export", order, "--book", book, "--out", tmp_path / "o.json")
    best = json.loads((tmp_path / "o.json").read_text())["best_execution"]
    cost = best["shortfall"]

    assert {
        "instrument", "side", "quantity", "filled", "order_type", "limit_price_lowest", "limit_price_highest", "venues",
        "algorithm", "why", "decided_at", "arrived_at", "first_fill_at", "last_fill_at", "arrival_mid",
        "spread_at_fills_bps", "session_close", "average_price", "fees", "participation", "expected_cost_bps",
    } <= set(best)  # fmt: skip
    assert set(best["not_recorded"]) == {"market_vwap", "market_twap", "peers"}
    parts = cost["spread_bps"] + cost["impact_bps"] + cost["timing_bps"]
    assert cost["against_arrival_bps"] == pytest.approx(parts)
    whole = cost["against_decision"]
    assert whole["total_bps"] == pytest.approx(
        whole["delay_bps"] + whole["trading_bps"] + whole["opportunity_bps"] + whole["fee_bps"]
    )
    assert best["decided_at"] < best["arrived_at"] <= best["first_fill_at"] <= best["last_fill_at"] <= best["closed_at"]


def test_a_child_can_be_exported_by_its_own_id(parley: Any, book: Path, order: str, tmp_path: Path) -> None:
    parley("export", order, "--book", book, "--out", tmp_path / "o.json")
    name = json.loads((tmp_path / "o.json").read_text())["children"][0]["child"]["client_order_id"]

    done = parley("export", name, "--book", book, "--out", tmp_path / "c.json", "--json")
    life = json.loads((tmp_path / "c.json").read_text())

    assert (done.document["kind"], life["order"]["order_id"]) == ("child", order)
    assert [item["child"]["client_order_id"] for item in life["children"]] == [name]
    assert {fill["client_order_id"] for fill in life["fills"]} == {name}
    assert parley("verify", "--export", tmp_path / "c.json").code == 0


def test_an_export_proves_itself_without_the_book(parley: Any, book: Path, order: str, tmp_path: Path) -> None:
    parley("export", order, "--book", book, "--out", tmp_path / "o.json")
    shutil.copy(book / "keys" / "desk.pub", tmp_path / "desk.pub")
    shutil.rmtree(book)

    alone = parley("verify", "--export", tmp_path / "o.json")
    known = parley("verify", "--export", tmp_path / "o.json", "--public-key", tmp_path / "desk.pub", "--json")

    assert alone.code == 0
    assert "give the desk's with --public-key" in alone.out
    assert (known.code, known.document["findings"], known.document["key_was_given"]) == (0, [], True)


def _drop(document: dict[str, Any], place: int) -> None:
    del document["proof"]["events"][place]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a better average price": (lambda d: d["best_execution"].update(average_price="1"), "document_differs"),
    "a fill left out": (lambda d: d["fills"].pop(), "document_differs"),
    "a check left out": (lambda d: d["gate"]["checks"].pop(), "document_differs"),
    "a vote turned": (lambda d: d["decision"]["votes"][0].update(value=0, confidence=1), "document_differs"),
    "something added": (lambda d: d.update(note="all well"), "document_differs"),
    "an event changed": (lambda d: d["proof"]["events"][3]["payload"].update(x=1), "event_malformed"),
    "an event's time changed": (
        lambda d: d["proof"]["events"][3].update(event_time="2016-01-01T00:00:00Z"),
        "event_altered",
    ),
    "an event left out": (lambda d: _drop(d, 4), "chain_broken"),
    "the end left out": (lambda d: _drop(d, -1), "head_not_on_chain"),
    "no head": (lambda d: d["proof"].update(head=None), "head_missing"),
    "no events": (lambda d: d["proof"].update(events=[]), "head_not_on_chain"),
    "a head of another hash": (lambda d: d["proof"]["head"].update(head_hash="0" * 64), "head_forged"),
    "a head of another key": (lambda d: d["proof"]["head"].update(key_id="0" * 16), "head_key_unknown"),
    "no key": (lambda d: d["proof"].update(public_key=None), "head_key_unknown"),
    "a key that is none": (lambda d: d["proof"].update(public_key="☂"), "head_key_unknown"),
}


def test_any_change_of_an_export_is_found(parley: Any, book: Path, order: str, tmp_path: Path) -> None:
    parley("export", order, "--book", book, "--out", tmp_path / "o.json")
    document = json.loads((tmp_path / "o.json").read_text())

    for name, (change, code) in CHANGES.items():
        changed = json.loads(json.dumps(document))
        change(changed)
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        done = parley("verify", "--export", tmp_path / "changed.json", "--json")

        assert done.code == 1, name
        assert code in {item["code"] for item in done.document["findings"]}, name


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"proof": {"events": [1]}}', '{"proof": {"events": []}}'])
def test_a_file_that_is_no_export_is_bad_use(parley: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)

    done = parley("verify", "--export", tmp_path / "x.json", "--json")

    assert done.code == 2
    assert "not an exported order" in done.document["error"]["message"]


def test_an_unknown_order_is_bad_use_and_says_which_there_are(parley: Any, book: Path, order: str) -> None:
    done = parley("export", "par-nothing", "--book", book, "--json")

    assert done.code == 2
    assert "par-" in done.document["error"]["remedy"]


def test_an_order_of_an_unsigned_run_can_be_exported_and_lacks_only_the_head(
    parley: Any, book: Path, order: str, tmp_path: Path
) -> None:
    (Book(book).latest().path / "heads.jsonl").unlink()
    parley("export", order, "--book", book, "--out", tmp_path / "o.json")

    done = parley("verify", "--export", tmp_path / "o.json", "--json")

    assert done.code == 1
    assert [item["code"] for item in done.document["findings"]] == ["head_missing"]


def test_limits_as_the_regime_or_the_market_tightened_them_are_reachable_and_looser_ones_are_not(signed: Path) -> None:
    started, decision = facts(signed)
    limits = load_limits()
    stressed = decision.model_copy(update={"regime": Regime.STRESSED})
    wild = dynamic_limits(limits, Regime.STRESSED, 0.0, 3.0)

    assert limits.hash() in reachable_limits(started, decision.model_copy(update={"regime": Regime.CALM}))
    assert wild.hash() in reachable_limits(started, stressed)
    assert limits.hash() not in reachable_limits(started, decision.model_copy(update={"regime": Regime.CRISIS}))
    assert limits.tighten(max_gross=0.123).hash() not in reachable_limits(started, stressed)
    assert limits.hash() not in reachable_limits(started.model_copy(update={"settings": {"limits": {}}}), decision)


def facts(book: Path) -> tuple[RunStarted, Decision]:
    with open_log(Book(book).latest(), readonly=True) as (log, _):
        made = next(log.read(types=(DecisionMade,), limit=1)).decoded()
        assert isinstance(made, DecisionMade)
        return run_started(log), made.decision


def test_the_table_of_audit_facts_is_the_one_in_the_docs() -> None:
    assert (ROOT / "docs" / "audit.md").read_text(encoding="utf-8") == audit_document()


def test_every_finding_that_code_can_make_is_in_the_table() -> None:
    sources = [*(ROOT / "memory").glob("*.py"), ROOT / "service/order_proof.py", ROOT / "service/export_checking.py"]
    text = "\n".join(path.read_text() for path in sources)
    made = set(re.findall(r'(?:_note|Finding)\(\s*"([a-z_]+)"', text))
    made |= set(re.findall(r'_doubts\.append\(\(\w+(?:\.\w+)?, "([a-z_]+)"', text))

    assert made == set(FINDINGS)


def test_the_audit_facts_say_what_is_missing(parley: Any) -> None:
    document = parley("audit-fields", "--json").document

    assert len(document["fields"]) == len(FIELDS)
    assert {row["name"] for row in document["fields"] if row["status"] == "missing"} == {"model version", "role"}
    assert "receive time" in parley("audit-fields").out
