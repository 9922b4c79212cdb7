"""The fold of a run behind its pages: what was taken back is not counted."""

from parley.domain.events import Event, FillBusted, OrderFilled
from parley.service.pages.record import RunRecord


def busts_of(events: list[Event], times: int) -> list[Event]:
    """The run with its first fill taken back, told this often."""
    first = next(event for event in events if event.type == "OrderFilled")
    fill = OrderFilled.model_validate(first.payload).fill
    payload = FillBusted(execution_id=fill.execution_id, fill=fill, reason="erroneous")
    bust = first.model_copy(
        update={"type": "FillBusted", "payload": payload.model_dump(mode="json"), "seq": events[-1].seq + 1}
    )
    return [*events, *([bust] * times)]


def test_a_fill_that_was_taken_back_counts_neither_as_a_fill_nor_as_a_cost(run_events: list[Event]) -> None:
    whole = RunRecord.from_events(run_events)
    first = next(event for event in run_events if event.type == "OrderFilled")
    without = RunRecord.from_events([event for event in run_events if event is not first])

    for times in (1, 2):
        busted = RunRecord.from_events(busts_of(run_events, times))
        assert busted.fills == whole.fills - 1 == without.fills
        assert abs(busted.trading_costs - without.trading_costs) < 1e-9
        assert busted.synthetic_fills == without.synthetic_fills


def test_a_bust_of_an_execution_that_was_never_told_changes_nothing(run_events: list[Event]) -> None:
    events = busts_of(run_events, 1)
    first = next(event for event in events if event.type == "OrderFilled")

    record = RunRecord.from_events([event for event in events if event is not first])

    assert record.fills == RunRecord.from_events(run_events).fills - 1
