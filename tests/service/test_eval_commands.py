"""`parley eval`: runs that are kept, scored again, reported, compared and held against gates; bad requests."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from parley.evals.harness.gates import judge
from parley.evals.harness.record import find_record
from parley.evals.harness.task import Chart, DatasetCard, Figure, Summary, Table
from parley.gate import gate
from parley.service.page_proof import problems, walk
from parley.service.pages.evaluation import evaluation_report
from parley.service.reports import Report


def page_of(path: str | Path) -> Report:
    html = Path(path)
    return Report("x", "evaluation", html.read_text(), json.loads(html.with_suffix(".json").read_text()))


def test_a_run_is_kept_and_the_same_request_finds_it(parley: Any) -> None:
    first = parley("eval", "run", "veto", "--json").document
    again = parley("eval", "run", "veto", "--json").document

    assert first["ok"]
    assert (first["cached"], again["cached"]) == (0, first["asked"])
    assert first["id"] == again["id"]
    folder = Path(first["folder"])
    assert {path.name for path in folder.iterdir()} >= {
        "manifest.json", "outcomes.jsonl", "timings.jsonl", "summary.json", "state.json", "junit.xml",
        "report.html", "report.json", "transcripts",
    }  # fmt: skip
    assert problems(page_of(first["html"])) == []
    assert len(ElementTree.parse(folder / "junit.xml").getroot()) == first["asked"]


def test_a_failing_suite_names_the_gates_that_fail(parley: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without = tuple(check for check in gate.PLAN_CHECKS if check.__name__ != "check_gross")
    monkeypatch.setattr(gate, "PLAN_CHECKS", without)

    done = parley("eval", "run", "veto")

    assert done.code == 1
    assert "plan.gross: approved" in done.out
    assert "FAILS" in done.out
    judged = parley("eval", "gates", "veto", "--json")
    assert judged.code == 1
    assert [row["passed"] for row in judged.document["gates"]] == [False, True]
    assert "not all gates hold: veto refused_for_the_right_reason" in parley("eval", "gates", "veto").out


def test_gates_want_every_suite_that_has_one(parley: Any) -> None:
    parley("eval", "run", "veto", "robustness")

    judged = parley("eval", "gates", "--json")

    assert judged.code == 1
    assert "faults" in judged.document["never_run"]
    assert {"veto", "robustness"}.isdisjoint(judged.document["never_run"])
    assert parley("eval", "gates", "veto", "robustness").code == 0


def test_a_bound_stops_cleanly_and_the_rest_follows(parley: Any) -> None:
    part = parley("eval", "run", "veto", "--max-samples", "5", "--json")

    assert part.code == 1
    assert part.document["done"] == 5
    assert "--max-samples" in part.document["stopped"]
    assert "stopped before the end" in Path(part.document["html"]).read_text()
    assert parley("eval", "gates", "veto").code == 1

    rest = parley("eval", "run", "--resume", part.document["id"], "--json")
    assert (rest.code, rest.document["cached"], rest.document["done"]) == (0, 5, rest.document["asked"])


def test_a_record_is_scored_and_reported_without_running(
    parley: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parley("eval", "run", "veto", "--json").document
    monkeypatch.setattr(gate, "PLAN_CHECKS", ())

    scored = parley("eval", "score", made["id"], "--json")
    report = parley("eval", "report", "veto", "--out", tmp_path / "there.html", "--json")

    assert (scored.code, scored.document["figures"]) == (0, made["figures"])
    assert report.document["id"] == made["id"]
    assert problems(page_of(tmp_path / "there.html")) == []


@pytest.mark.slow
def test_two_evaluations_are_compared_sample_by_sample(parley: Any) -> None:
    one = parley("eval", "run", "determinism", "--cases", "1", "--epochs", "1", "--json").document["id"]
    two = parley("eval", "run", "determinism", "--cases", "1", "--epochs", "2", "--json").document["id"]

    found = parley("eval", "compare", one, two, "--json")

    assert found.code == 0
    assert "epochs" in found.document["made_with_another"]
    assert found.document["shared"] == 2
    assert found.document["sentences"]
    assert "made with another" in parley("eval", "compare", one, two).out


def test_several_suites_give_one_document(parley: Any) -> None:
    done = parley("eval", "run", "veto", "robustness", "--json").document

    assert done["ok"]
    assert [item["suite"] for item in done["evals"]] == ["veto", "robustness"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run",), "bad_use"),
        (("run", "veto", "--resume", "veto-1"), "bad_use"),
        (("run", "tag:nothing"), "suite_unknown"),
        (("run", "--resume", "veto-1"), "eval_unknown"),
        (("run", "prompts", "--model", "dear", "--max-cost", "1"), "settings_invalid"),
        (("score", "nothing"), "eval_unknown"),
        (("report", "../elsewhere"), "eval_unknown"),
        (("compare", "veto", "veto"), "eval_unknown"),
        (("gates", "nothing"), "eval_unknown"),
        (("gates", "--gates", "nowhere.toml"), "gates_invalid"),
    ],
)
def test_a_request_that_cannot_be_done_is_a_typed_error(parley: Any, arguments: tuple[str, ...], code: str) -> None:
    done = parley("eval", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code


def test_a_record_made_by_other_code_is_not_gone_on_with(parley: Any) -> None:
    made = parley("eval", "run", "veto", "--max-samples", "2", "--json").document
    manifest = Path(made["folder"], "manifest.json")
    old = json.loads(manifest.read_text()) | {"id": "veto-old", "code": {"version": "0", "hash": "0"}}
    Path(made["folder"]).rename(Path(made["folder"]).with_name("veto-old"))
    (Path(made["folder"]).with_name("veto-old") / "manifest.json").write_text(json.dumps(old))

    done = parley("eval", "run", "--resume", "veto-old", "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "eval_changed"
    assert "another code" in done.document["error"]["message"]


def test_a_page_shows_every_kind_of_chart_and_of_words(parley: Any) -> None:
    made = parley("eval", "run", "veto", "--json").document
    record = find_record(Path(made["folder"]).parents[1], made["id"])
    days = tuple(f"20{year:02d}-01-02" for year in range(10, 22))
    growth = {f"line {k}": tuple(1.0 + 0.5 * k * place for place in range(12)) for k in range(7)}
    record.write_summary(
        Summary(
            figures=(Figure("sharpe", 0.7, "ratio", 0.3, 1.1, 800, "of 151 trials"), Figure("odd", None, "parsecs")),
            tables=(Table("By year 2020", ("year", "n 1"), ("", "frac"), (("2020 <b>", 0.1), ("x", None)), "Note 3."),),
            charts=(
                Chart("Growth of 1 USD", "lines", "multiple", days, growth),
                Chart("Band", "lines", "frac", days[:3], {"ours": (0.1, None, 0.2)}, (0.0, 0.0, 0.1), (0.2, 0.2, 0.3)),
                Chart("Arms", "bars", "ratio", ("a 1", "b"), {"Sharpe": (0.5, -0.1)}, (0.1, None), (0.9, None)),
                Chart("Calls", "reliability", "frac", (0.5, 0.7), {"came": (0.45, 0.8)}, (0.4, 0.6), (0.5, 0.9)),
                Chart("Random", "histogram", "ratio", (0.0, 0.5, 1.0), {"agents": (3.0, 5.0)}, mark=1.2),
                Chart("Empty", "histogram", "ratio", (), {"agents": ()}),
            ),
            notes=("Of 31 years.",),
            cards=(DatasetCard("us20", "s 1", "l", days[0], days[-1], "ab12", "cannot be known", ("n 2",)),),
        )
    )

    page = evaluation_report(record, judge([], "veto", record.summary()), ("sharpe",))

    assert problems(page) == []
    assert walk(page.html).links == []
    for words in ("Growth of 1 USD", "Random", "upright line", "Further lines", "us20", "2020 &lt;b&gt;"):
        assert words in page.html
    assert "Empty" not in walk(page.html).loose
