"""Going on after a crash: what `--resume` finishes, what it refuses and why, and what a fresh start leaves alone."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, is_finished, open_log
from parley.domain.events import ChildSubmitted, DecisionMade, ModelReplied
from parley.evals.replay import replay_run
from parley.graph.checkpoints import LocalSaver
from parley.memory.log import EventLog
from parley.memory.verify import verify_log

OPTIONS = ("--start", "2016-01-08", "--end", "2016-01-13", "--reports", "none", "--json")


def killed_at(kind: type, method: str, call: int, work: Callable[[], object]) -> int:
    """Runs work in a fork that kills itself just before the n-th call of a method; how the fork ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    called, left = getattr(kind, method), call

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return called(*arguments, **named)

    try:
        setattr(kind, method, counted)
        work()
    finally:
        os._exit(0)


@pytest.fixture
def whole(parley: Any, six_names: Path) -> Any:
    """The run as it is when nobody interrupts it, in a book of its own."""
    return parley("run", "--data", six_names, *OPTIONS, "--book", "whole").document


@pytest.fixture
def cut_off(parley: Any, six_names: Path) -> Callable[..., int]:
    """Begins the run in ./book and dies at the n-th append."""

    def cut(append: int, *more: str) -> int:
        return killed_at(EventLog, "append", append, lambda: parley("run", "--data", six_names, *OPTIONS, *more))

    return cut


@pytest.mark.parametrize("append", [2, 3, 9, 30])
def test_resume_alone_goes_on_with_the_latest_run(
    parley: Any, whole: Any, cut_off: Callable[..., int], append: int
) -> None:
    assert cut_off(append) == -signal.SIGKILL

    done = parley("run", "--resume", "--reports", "none", "--json")

    assert done.code == 0
    assert done.document | {"book": "whole"} == whole
    assert parley("verify").code == 0


def test_resume_with_the_runs_own_options_goes_on_with_it(
    parley: Any, whole: Any, cut_off: Callable[..., int], six_names: Path
) -> None:
    cut_off(20)
    parley("decide", "--as-of", "2016-01-08", "--data", six_names)  # another run is the latest now

    done = parley("run", "--data", six_names, *OPTIONS, "--resume")

    assert done.document | {"book": "whole"} == whole


def test_a_run_that_died_before_its_first_event_starts_when_its_options_are_given(
    parley: Any, whole: Any, cut_off: Callable[..., int], six_names: Path
) -> None:
    assert cut_off(1) == -signal.SIGKILL

    nameless = parley("run", "--resume", "--json")
    named = parley("run", "--data", six_names, *OPTIONS, "--resume")

    assert nameless.code == 2
    assert "no run to go on with" in nameless.document["error"]["message"]
    assert named.document | {"book": "whole"} == whole


def test_resume_with_options_starts_what_was_never_begun_and_says_so(parley: Any, six_names: Path) -> None:
    done = parley("run", "--data", six_names, *OPTIONS[:-1], "--resume")

    assert done.code == 0
    assert done.out.startswith("Nothing to go on with: book holds no run run-")
    assert is_finished(Book(Path("book")).latest())


def test_resuming_a_finished_run_prints_its_summary_and_changes_nothing(parley: Any, whole: Any) -> None:
    folder = Book(Path("whole")).latest()
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}

    done = parley("run", "--resume", "--book", "whole", "--reports", "none", "--json")

    assert done.document == whole
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


@pytest.mark.parametrize("options", [(), ("all",)])
def test_resume_under_other_settings_is_refused_by_naming_them(
    parley: Any, cut_off: Callable[..., int], monkeypatch: pytest.MonkeyPatch, six_names: Path, options: tuple[str, ...]
) -> None:
    cut_off(20)
    head = verify_log(Book(Path("book")).latest().log_path).head_hash
    monkeypatch.setenv("PARLEY_COSTS__FEE_BPS", "2.5")
    named = ("--data", str(six_names), *OPTIONS) if options else ("--json",)

    done = parley("run", "--resume", *named)

    assert done.code == 2
    assert done.document["error"]["code"] == "run_changed"
    assert "settings.costs.fee_bps is 2.5 now and was 1.0" in done.document["error"]["message"]
    assert verify_log(Book(Path("book")).latest().log_path).head_hash == head
    assert len(Book(Path("book")).runs()) == 1


def test_resume_under_other_limits_is_refused_by_naming_them(
    parley: Any, cut_off: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from parley.gate.limits import DEFAULT_LIMITS_PATH

    cut_off(20)
    limits = tmp_path / "limits.toml"
    limits.write_text(DEFAULT_LIMITS_PATH.read_text().replace("max_price_age_days = 5.0", "max_price_age_days = 4.0"))
    monkeypatch.setenv("PARLEY_LIMITS_FILE", str(limits))

    done = parley("run", "--resume", "--json")

    assert done.code == 2
    assert "settings.limits.max_price_age_days is 4.0 now and was 5.0" in done.document["error"]["message"]


def test_resume_on_changed_data_is_refused(parley: Any, six_names: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text(six_names.read_text())
    ended = killed_at(EventLog, "append", 20, lambda: parley("run", "--data", copy, *OPTIONS))
    copy.write_text(copy.read_text().replace(",2000000", ",2000001"))

    done = parley("run", "--resume", "--json")

    assert ended == -signal.SIGKILL
    assert done.code == 2
    assert done.document["error"]["code"] == "run_changed"
    assert str(copy) in done.document["error"]["message"]


def test_a_plain_run_sets_an_unfinished_one_aside(
    parley: Any, whole: Any, cut_off: Callable[..., int], six_names: Path
) -> None:
    cut_off(20)
    cut = Book(Path("book")).latest()

    done = parley("run", "--data", six_names, *OPTIONS)

    assert done.document | {"book": "whole"} == whole
    assert not is_finished(RunFolder("aside", cut.path.with_name(f"{cut.run_id}.1")))
    assert is_finished(cut)


def test_the_configured_model_is_the_default_one(parley: Any, monkeypatch: pytest.MonkeyPatch, six_names: Path) -> None:
    monkeypatch.setattr("parley.service.running.build_model", lambda name, llm: Moody())
    monkeypatch.setattr("parley.service.preparing.build_model", lambda name, llm: Moody())
    monkeypatch.setenv("PARLEY_LLM_MODEL", "moody")

    asked = parley("run", "--data", six_names, *OPTIONS)
    told = parley("run", "--data", six_names, *OPTIONS, "--model", "rules")

    assert (asked.document["model"], told.document["model"]) == ("moody", "rules")


class Moody(RulesModel):
    """Stands for a language model: never as sure of itself as the last time, and another one in every process."""

    name = "moody"
    is_deterministic = False

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        said = json.loads(reply.text)
        for view in said.get("views", []) + said.get("votes", []):
            if view["confidence"] > 60:
                view["confidence"] -= os.getpid() % 7
        return ChatReply(json.dumps(said), reply.prompt_tokens, reply.completion_tokens)


@pytest.fixture
def moody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley.service.running.build_model", lambda name, llm: Moody())
    monkeypatch.setattr("parley.service.preparing.build_model", lambda name, llm: Moody())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "method", "calls"),
    [
        (EventLog, "append", (2, 3, 4, 5, 20, 60)),
        (LocalSaver, "put", (1, 4, 7, 9, 10, 11)),
        (LocalSaver, "delete_thread", (1, 2)),
    ],
)
def test_a_language_model_is_not_asked_again_what_the_log_already_holds(
    parley: Any, moody: None, six_names: Path, kind: type, method: str, calls: tuple[int, ...]
) -> None:
    for call in calls:
        book = f"book-{call}"
        run = ("run", "--data", six_names, *OPTIONS[:4], "--reports", "none", "--model", "moody", "--book", book)
        ended = killed_at(kind, method, call, lambda run=run: parley(*run))
        assert ended == -signal.SIGKILL
        before = _replies(Book(Path(book)).latest())

        done = parley(*run, "--resume", "--json")

        folder = Book(Path(book)).latest()
        assert done.code == 0, done.out
        assert verify_log(folder.log_path).ok
        assert _replies(folder)[: len(before)] == before
        replayed = replay_run(folder)
        assert (replayed.identical, replayed.first_difference) == (True, None)
        with open_log(folder, readonly=True) as (log, _):
            submitted: list[Any] = [event.decoded() for event in log.read(types=(ChildSubmitted,))]
            sent = [item.child.client_order_id for item in submitted]
            assert len(sent) == len(set(sent)) > 0
            assert sum(1 for _ in log.read(types=(DecisionMade,))) == done.document["sessions"]


def _replies(folder: RunFolder) -> list[str]:
    if not folder.exists:
        return []
    with open_log(folder, readonly=True) as (log, _):
        return [event.hash for event in log.read(types=(ModelReplied,))]


def test_two_runs_of_one_kind_cannot_write_the_same_log(parley: Any, six_names: Path) -> None:
    parley("run", "--data", six_names, *OPTIONS)
    folder = Book(Path("book")).latest()

    with open_log(folder):
        done = parley("run", "--data", six_names, *OPTIONS)

    assert done.code == 2
    assert done.document["error"]["code"] == "store_locked"
    assert str(os.getpid()) in done.document["error"]["message"]
