"""The child checks of how much is being sent: rates, counts of the day, and queues; the caller counts.

Cancels are never held back; too many of them hold back what is new. Exits are exempt from the counts of the
day, but not from the rates of the second: a loop gone wild may be one of exits, and a second later they go.
"""

from .child_view import ChildView, Measure, told, untold


def submit_rate(v: ChildView) -> Measure:
    sent = v.context.submits_last_s
    if sent is None:
        return untold(v, "submit_rate", v.bounds.max_submits_per_s)
    return (sent + 1 if sent >= 0 else None), v.bounds.max_submits_per_s


def cancel_rate(v: ChildView) -> Measure:
    bound = None if v.reduces else v.bounds.max_cancels_per_s
    return told(v, "cancel_rate", v.context.cancels_last_s, bound)


def orders_per_day(v: ChildView) -> Measure:
    sent = v.context.orders_today
    bound = None if v.reduces else v.bounds.max_orders_per_day
    if sent is None:
        return untold(v, "orders_per_day", bound)
    return (sent + 1 if sent >= 0 else None), bound


def message_ratio(v: ChildView) -> Measure:
    """Messages of the day for each fill, one fill to come counted."""
    messages, fills = v.context.messages_today, v.context.fills_today
    bound = None if v.reduces else v.bounds.max_messages_per_fill
    if messages is None or fills is None:
        return untold(v, "message_ratio", bound)
    return (messages / (fills + 1) if messages >= 0 and fills >= 0 else None), bound


def queue_age(v: ChildView) -> Measure:
    """A broker that paces silently would send today's order into tomorrow's market."""
    return told(v, "queue_age", v.context.queue_age_s, v.bounds.max_queue_age_s)
