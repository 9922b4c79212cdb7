"""`parley exchange`: one run of the desk at each model of a venue, and what each made of it."""

from dataclasses import asdict

from ..evals.exchange_arms import ARMS, ArmResult, run_arm
from ..evals.fidelity import fidelity_text
from .console import Console
from .preparing import RunRequest, prepare

NOTES = (
    "Orders go on from each venue's own book, so the runs part after the first fill that differs.",
    "The paper venue and the exchange at T0 price the same impact; the exchange adds queues, auctions, fees and delay.",
    "Closes that are adjusted hold splits and dividends already: none is applied again.",
)


def perform_exchange(request: RunRequest, console: Console) -> None:
    prepared = prepare(request)
    results: list[ArmResult] = []
    with console.progress("venues") as bar:
        for place, name in enumerate(ARMS):
            bar(place, len(ARMS))
            results.append(run_arm(name, prepared.data, prepared.plan, prepared.settings, prepared.limits))
        bar(len(ARMS), len(ARMS))
    sessions = prepared.plan.sessions
    console.result(
        {
            "data": prepared.plan.data,
            "start": sessions[0].isoformat(),
            "end": sessions[-1].isoformat(),
            "sessions": len(sessions),
            "venues": [_document(result) for result in results],
            "notes": list(NOTES),
        }
    )
    console.say(f"{prepared.data.card.title}, {sessions[0]} to {sessions[-1]}, {len(sessions)} sessions")
    header = ("venue", "orders", "fills", "filled", "traded", "past the mid", "fees", "return")
    console.table("", header, [_row(result) for result in results])
    for result in results:
        console.say(f"  {result.name}: fills {fidelity_text(result.fidelity)}")
    for note in NOTES:
        console.say(f"  {note}")


def _document(result: ArmResult) -> dict[str, object]:
    return asdict(result) | {
        "traded": str(result.traded),
        "fees": str(result.fees),
        "fidelity": dict(result.fidelity),
    }


def _row(result: ArmResult) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.orders:,}",
        f"{result.fills:,}",
        f"{result.filled_frac:.1%}",
        f"{result.traded:,.0f}",
        f"{result.spread_cost_bps:.2f} bp",
        f"{result.fee_bps:.2f} bp",
        f"{result.total_return:.2%}",
    )
