"""`parley.open` on a small run: frames, answers and pages; and the notebook of the docs, executed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import parley as package
import pytest
from nbclient import NotebookClient
from parley.service.answers.answer import Answer, Kind, Rows
from parley.service.answers.errors import UnknownQuestion
from parley.service.notebook import OpenBook
from parley.service.notebook_page import answer_page, run_page
from parley.service.pages.errors import UnknownRecord

NOTEBOOK = Path(package.__file__).parent / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def desk(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenBook:
    book = tmp_path_factory.mktemp("notebook") / "book"
    command = [
        sys.executable,
        "-m",
        "parley",
        "run",
        "--data",
        str(six_names),
        "--start",
        "2016-01-04",
        "--book",
        str(book),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return package.open(book)


def test_the_frames_hold_the_record_and_agree_with_each_other(desk: OpenBook) -> None:
    equity, decisions, orders, fills = desk.equity, desk.decisions, desk.orders, desk.fills

    assert len(equity) == len(decisions) > 5
    assert equity.index.is_monotonic_increasing and equity.index.name == "session"
    assert set(orders["decision_id"]) <= set(decisions.index)
    assert set(fills["order_id"]) <= set(orders.index)
    filled = {name: count for name, count in zip(orders.index, orders["filled"], strict=True) if count > 0}
    done: dict[str, int] = {}
    for name, quantity in zip(fills["order_id"], fills["quantity"], strict=True):
        done[str(name)] = done.get(str(name), 0) + int(quantity)
    assert done == filled
    assert float(sum(fills["fee"])) == pytest.approx(float(sum(equity["fees"])))
    assert set(desk.votes.index) <= set(decisions.index)


def test_risk_is_the_desks_own_answer_and_weights_sum_to_what_is_held(desk: OpenBook) -> None:
    assert float(sum(desk.risk["weight"])) == pytest.approx(float(desk.equity["gross"].iloc[-1]), rel=0.02)
    assert float(sum(desk.risk["share"])) == pytest.approx(1.0)


def test_every_figure_of_a_decision_has_a_tool_behind_it(desk: OpenBook) -> None:
    found = desk.evidence(desk.decisions.index[0])

    assert found.index.str.startswith("ev-").all()
    assert (found["as_of"] == desk.decisions["as_of"].iloc[0]).all()


def test_an_answer_and_a_report_show_themselves(desk: OpenBook) -> None:
    answer = desk.ask("positions")

    assert answer.kind == "table" and str(answer) == answer.text
    assert answer.frame["symbol"].iloc[0] in answer._repr_html_()
    report = desk.explain(desk.orders.index[0])
    assert report.data["kind"] == "trade"
    assert report._repr_html_().startswith('<iframe sandbox="" ')
    assert desk._repr_html_().count("<polyline") == 1


def test_what_the_run_does_not_have_is_refused_by_name(desk: OpenBook) -> None:
    with pytest.raises(UnknownQuestion):
        desk.ask("fortune")
    with pytest.raises(UnknownRecord):
        desk.explain("par-0000000000000000")
    with pytest.raises(UnknownRecord):
        desk.evidence("dec-0000000000000000")


def test_markup_in_an_answer_or_a_heading_is_shown_and_never_run() -> None:
    evil = "<script>alert(1)</script>"
    rows = Rows((evil,), ("text",), ((evil,),), (("",),))
    chart: Any = {"title": evil, "lines": {evil: [1.0, 2.0]}, "x": [evil, evil]}
    page = answer_page(Answer(Kind.TABLE, (evil,), rows=rows, chart=chart)) + run_page(evil, ())

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 7


def test_importing_parley_loads_nothing_else() -> None:
    code = "import sys, parley; print([n for n in sys.modules if n.startswith(('parley.', 'pandas', 'pydantic'))])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.slow
def test_the_notebook_of_the_docs_runs_from_top_to_bottom(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    committed = {cell["id"]: cell["outputs"] for cell in notebook.cells if cell.cell_type == "code"}

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()

    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert [item["output_type"] for item in cell.outputs] == [
                item["output_type"] for item in committed[cell["id"]]
            ]
    assert all(committed.values())


def test_the_committed_notebook_names_no_place_of_a_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")

    assert not re.search(r"/(tmp|home|root|work|Users|var)/", text)
    assert json.loads(text)["nbformat"] == 4
