"""What `run --resume` goes on with, and why it may not: only the run that was begun can be finished."""

from dataclasses import replace

from pydantic import JsonValue

from ..desk.book import Book, RunFolder, has_begun, open_log
from ..desk.desk import run_started
from ..desk.errors import RunChanged, RunUnknown
from ..desk.settings import settings_of_run
from ..domain.events import DecisionMade, RunStarted
from ..memory.difference import first_difference
from ..memory.history import run_started as read_run_started
from .preparing import Prepared, RunRequest

BACK = "Go back to that to finish the run, or start a new one without --resume."


def begun_last(book: Book) -> RunStarted | None:
    """What the desk's run was begun with; None when there is none, or it died before its first event."""
    try:
        folder = book.operated()
    except RunUnknown:
        return None
    return _begun(folder)


def request_as_begun(request: RunRequest, last: RunStarted | None) -> RunRequest:
    """With no options of its own, `--resume` goes on with the desk's run by that run's own options."""
    if request.names_a_run:
        return request
    if last is None:
        raise RunUnknown(
            f"{request.book} holds no run to go on with",
            remedy="Give the options of the run, so that it starts where it does not yet exist.",
        )
    if settings_of_run(last.settings).growing:
        raise RunUnknown(
            f"{request.book} holds a run whose data grow, which has no last session to be finished at",
            remedy=f"Go on with it by `parley trade --data {last.data}`.",
        )
    return replace(
        request,
        data=last.data,
        start=last.first_session.isoformat(),
        end=last.last_session.isoformat(),
        model=last.model,
        seed=last.seed,
        venue=settings_of_run(last.settings).venue.choice,
        as_live=request.as_live or settings_of_run(last.settings).as_live,
    )


def refuse_changed(last: RunStarted | None, folder: RunFolder, prepared: Prepared) -> None:
    """Raises RunChanged where the run would go on under other settings, limits, data or another program."""
    now = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
    begun = _begun(folder)
    if begun is None and last is not None and _is_same_request(last, now):
        begun = last  # the same run was asked for, yet under another id
    if begun is None:
        return
    if settings_of_run(begun.settings).growing:
        _refuse_rewritten(folder, prepared)
    if begun.data_fingerprint != now.data_fingerprint:
        raise RunChanged(
            f"run {begun.run_id}: data set {now.data} is {now.data_fingerprint[:16]} now "
            f"and was {begun.data_fingerprint[:16]} when the run was begun",
            remedy=f"The data changed. {BACK}",
        )
    one: JsonValue = {"Parley": begun.parley_version, "settings": begun.settings}
    other: JsonValue = {"Parley": now.parley_version, "settings": now.settings}
    found = first_difference(one, other)
    if found is not None:
        raise RunChanged(
            f"run {begun.run_id}: {found.path} is {found.right} now and was {found.left} when the run was begun",
            remedy=BACK,
        )


def _refuse_rewritten(folder: RunFolder, prepared: Prepared) -> None:
    """Of data that grow, what the last decision was made on must still be what it was."""
    with open_log(folder, readonly=True) as (log, _):
        last = log.last(DecisionMade)
    if last is None:
        return
    known, history = DecisionMade.model_validate(last.payload).decision.snapshot, prepared.data.history()
    if known.session > history.last_session or history.as_of(known.as_of).fingerprint != known.data_fingerprint:
        raise RunChanged(
            f"run {folder.run_id}: {prepared.plan.data} was changed behind the desk: what it holds up to "
            f"{known.session} is not what was decided on",
            remedy=f"Sessions are only added to data that grow. {BACK}",
        )


def _begun(folder: RunFolder) -> RunStarted | None:
    if not has_begun(folder):
        return None
    with open_log(folder, readonly=True) as (log, _):
        return read_run_started(log)


def _is_same_request(one: RunStarted, other: RunStarted) -> bool:
    def asked(run: RunStarted) -> tuple[object, ...]:
        return run.data, run.first_session, run.last_session, run.model, run.seed

    return asked(one) == asked(other)
