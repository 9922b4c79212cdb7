"""`parley exchange`: one run of the desk at each model of a venue, and what each made of it."""

from dataclasses import asdict

from ..desk.clock import cpu_s
from ..domain.sessions import day_of
from ..evals.exchange_arms import ARMS, ArmResult, run_arm
from ..evals.fidelity import fidelity_text
from .console import Console
from .preparing import RunRequest, prepare

NOTES = (
    "Orders go on from each venue's own book, so the runs part after the first fill that differs.",
    "A router pays four exchanges that are assumed: their fees, shares, hidden sizes, delays and outages are stated.",
    "The paper venue and the exchange at T0 price the same impact; the exchange adds queues, auctions, fees and delay.",
    "Closes that are adjusted hold splits and dividends already: none is applied again.",
)


def perform_exchange(request: RunRequest, console: Console) -> None:
    prepared = prepare(request)
    results: list[ArmResult] = []
    took_s: list[float] = []
    with console.progress("venues") as bar:
        for place, name in enumerate(ARMS):
            bar(place, len(ARMS))
            began_s = cpu_s()
            results.append(run_arm(name, prepared.data, prepared.plan, prepared.settings, prepared.limits))
            took_s.append(cpu_s() - began_s)
        bar(len(ARMS), len(ARMS))
    sessions = prepared.plan.sessions
    console.result(
        {
            "data": prepared.plan.data,
            "start": sessions[0].isoformat(),
            "end": sessions[-1].isoformat(),
            "sessions": len(sessions),
            "venues": [_document(*row) for row in zip(results, took_s, strict=True)],
            "notes": list(NOTES),
        }
    )
    days = len({day_of(session) for session in sessions})
    spans = "" if days == len(sessions) else f"{len(sessions)} spans in "
    console.say(f"{prepared.data.card.title}, {sessions[0]} to {sessions[-1]}, {spans}{days} sessions")
    header = ("venue", "orders", "fills", "filled", "traded", "past the mid", "fees", "return", "CPU")
    console.table("", header, [_row(*row) for row in zip(results, took_s, strict=True)])
    for result in results:
        console.say(f"  {result.name}: fills {fidelity_text(result.fidelity)}{_by_venue(result)}")
    for note in NOTES:
        console.say(f"  {note}")


def _by_venue(result: ArmResult) -> str:
    """Where they were made, when at more than one place."""
    parts = [f"{name} {count:,}" for name, count in result.venues.items()]
    return f": {', '.join(parts)}" if len(parts) > 1 else ""


def _document(result: ArmResult, took_s: float) -> dict[str, object]:
    return asdict(result) | {
        "traded": str(result.traded),
        "fees": str(result.fees),
        "fidelity": dict(result.fidelity),
        "venues": dict(result.venues),
        "cpu_s": round(took_s, 3),
    }


def _row(result: ArmResult, took_s: float) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.orders:,}",
        f"{result.fills:,}",
        f"{result.filled_frac:.1%}",
        f"{result.traded:,.0f}",
        f"{result.spread_cost_bps:.2f} bp",
        f"{result.fee_bps:.2f} bp",
        f"{result.total_return:.2%}",
        f"{took_s:.1f} s",
    )
