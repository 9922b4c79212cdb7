"""The `model-calls` command, and the costs of a decision: what models were asked, what they said, and what it took."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..agents.budget import LEAST_NAMES, MAX_CALLS, TOKENS_PER_NAME
from ..agents.llm.call_store import KeptCall
from ..agents.llm.prices import PriceTable, is_unbilled
from ..agents.llm.rules import FALLBACK_MODEL
from ..desk.book import Book, RunFolder, open_log
from ..desk.errors import BookError
from ..desk.models import read_calls
from ..domain.decisions import Decision, ModelCall
from ..domain.events import ModelReplied
from .console import Console

LAST_SHOWN = 40
MAX_ERROR_CHARS = 40


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as the log holds it, with what was kept beside it; the rules' calls are not kept, only logged.

    `is_logged` is False for a call whose decision never got into the log: the process died before.
    """

    call: ModelCall
    decision_id: str
    kept: KeptCall | None
    is_logged: bool


def perform_model_calls(run: str | None, book: Path, out: Path | None, console: Console) -> None:
    """Print the calls of a run, newest last; with `out`, write them all as JSON lines for review."""
    folder = Book(book).find(run)
    rows = call_rows(folder)
    documents = [_document(row) for row in rows]
    if out is not None:
        _write_lines(out, documents)
    console.result({"run": folder.run_id, "calls": documents, "out": str(out) if out else None})
    console.say(
        f"Run {folder.run_id}: {len(rows)} model calls, {sum(row.call.error is not None for row in rows)} failed"
    )
    shown = rows[-LAST_SHOWN:]
    if shown:
        header = ("node", "model", "prompt", "asked", "said", "seconds", "error")
        console.table("", header, [_cells(row) for row in shown])
    if len(rows) > len(shown):
        console.say(f"  the last {len(shown)} are shown; --json and --out give all")
    if out is not None:
        console.say(f"Written: {out}")


def call_rows(folder: RunFolder, decision_id: str | None = None) -> list[CallRow]:
    """The calls of a run or of one of its decisions: the log's, with what was kept of each, then those not logged."""
    with read_calls(folder) as store:
        kept = store.calls(decision_id) if store is not None else ()
    waiting: defaultdict[tuple[str, int], deque[KeptCall]] = defaultdict(deque)
    for item in kept:
        waiting[item.call.request_hash, item.call.prompt_version].append(item)
    rows: list[CallRow] = []
    for decision, call in _logged(folder, decision_id):
        found = waiting[call.request_hash, call.prompt_version] if call.model != FALLBACK_MODEL else None
        rows.append(CallRow(call, decision, found.popleft() if found else None, True))
    lost = [item for left in waiting.values() for item in left]
    return rows + [CallRow(item.call, item.decision_id, item, False) for item in lost]


def costs_document(folder: RunFolder, decision: Decision, prices: PriceTable | None) -> dict[str, Any]:
    """What a decision's calls took: per node and in all, beside what it was allowed."""
    rows = call_rows(folder, decision.decision_id)
    by_node: defaultdict[tuple[str, str], list[CallRow]] = defaultdict(list)
    for row in rows:
        by_node[row.call.node, row.call.model].append(row)
    nodes = [{"node": node, "model": model, **_totals(found)} for (node, model), found in by_node.items()]
    return {
        "nodes": sorted(nodes, key=lambda item: (item["depth"] or 0, item["node"])),
        "total": _totals(rows),
        "allowed": {
            "calls": MAX_CALLS,
            "prompt_tokens": TOKENS_PER_NAME * max(len(decision.snapshot.symbols), LEAST_NAMES),
        },
        "currency": prices.currency if prices else None,
        "prices_of": prices.day.isoformat() if prices else None,
    }


def print_costs(costs: dict[str, Any], console: Console) -> None:
    """The table of `decide --costs`."""
    total, allowed = costs["total"], costs["allowed"]
    rows = [_cost_cells(item["node"], item["model"], item) for item in costs["nodes"]]
    rows.append(_cost_cells("in all", "", total))
    header = ("node", "model", "calls", "failed", "tokens asked", "said", "seconds", "depth", "price")
    console.table("", header, rows)
    console.say(
        f"  allowed: {allowed['calls']} calls and {allowed['prompt_tokens']:,} prompt tokens; {_price_note(costs)}"
    )


def _price_note(costs: dict[str, Any]) -> str:
    if all(is_unbilled(item["model"]) for item in costs["nodes"]):
        return "nothing is billed: all of it runs on this machine"
    if costs["currency"] is None:
        return "prices are unknown: name a table with llm.prices_file"
    return f"prices in {costs['currency']} as of {costs['prices_of']}"


def _totals(rows: Sequence[CallRow]) -> dict[str, Any]:
    """Seconds, depth and money only where they were kept: an unknown is not a zero."""
    kept = [row.kept for row in rows if row.kept is not None]
    costs = [item.cost for item in kept if item.cost is not None]
    return {
        "calls": len(rows),
        "failed": sum(row.call.error is not None for row in rows),
        "prompt_tokens": sum(row.call.prompt_tokens for row in rows),
        "completion_tokens": sum(row.call.completion_tokens for row in rows),
        "seconds": round(sum(item.seconds for item in kept), 3) if kept else None,
        "depth": max(item.depth for item in kept) if kept else None,
        "cost": str(sum(costs, Decimal(0))) if kept and len(costs) == len(kept) else None,
    }


def _cost_cells(node: str, model: str, totals: dict[str, Any]) -> tuple[str, ...]:
    seconds, depth, cost = totals["seconds"], totals["depth"], totals["cost"]
    return (
        node,
        model,
        str(totals["calls"]),
        str(totals["failed"]),
        f"{totals['prompt_tokens']:,}",
        f"{totals['completion_tokens']:,}",
        "-" if seconds is None else f"{seconds:.1f}",
        "-" if depth is None else str(depth),
        "-" if cost is None else f"{Decimal(cost):.4f}",
    )


def _logged(folder: RunFolder, decision_id: str | None) -> Iterable[tuple[str, ModelCall]]:
    with open_log(folder, readonly=True) as (log, _):
        for event in log.read(types=(ModelReplied,)):
            payload = event.decoded()
            if isinstance(payload, ModelReplied) and decision_id in (None, payload.decision_id):
                yield from ((payload.decision_id, call) for call in payload.calls)


def _document(row: CallRow) -> dict[str, Any]:
    kept = row.kept
    return {
        "decision_id": row.decision_id,
        **row.call.model_dump(mode="json"),
        "is_logged": row.is_logged,
        "occurrence": kept.occurrence if kept else None,
        "depth": kept.depth if kept else None,
        "seconds": kept.seconds if kept else None,
        "cost": str(kept.cost) if kept and kept.cost is not None else None,
        "recorded_at": kept.recorded_at if kept else None,
        "asked": json.loads(kept.asked) if kept else None,
    }


def _cells(row: CallRow) -> tuple[str, ...]:
    call = row.call
    error = (call.error or "").replace("\n", " ")
    return (
        call.node,
        call.model,
        f"{call.prompt} v{call.prompt_version}",
        f"{call.prompt_tokens:,}",
        f"{call.completion_tokens:,}",
        "-" if row.kept is None else f"{row.kept.seconds:.2f}",
        error if len(error) <= MAX_ERROR_CHARS else f"{error[: MAX_ERROR_CHARS - 1]}…",
    )


def _write_lines(out: Path, documents: Sequence[dict[str, Any]]) -> None:
    text = "".join(json.dumps(item, ensure_ascii=False, sort_keys=True) + "\n" for item in documents)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BookError(
            f"{out}: cannot be written ({error.strerror or error})", remedy="Choose another --out."
        ) from error
