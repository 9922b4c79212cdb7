"""Says which of a decision's texts and replies look like an attempt to steer it, as the event that the log keeps."""

from ..agents.suspicion import suspicious_replies, suspicious_texts
from ..domain.events import UntrustedTextFlagged
from .ports import Ports
from .state import DeskState
from .views import TEXT_WINDOW


def flagged(ports: Ports, state: DeskState) -> UntrustedTextFlagged | None:
    """A function of the texts that the snapshot names and of what models said: a replay flags the same."""
    snapshot = state["snapshot"]
    names = set(snapshot.text_ids)
    texts = ports.history.as_of(snapshot.as_of).texts(snapshot.as_of - TEXT_WINDOW) if names else ()
    found = (
        *suspicious_texts([item for item in texts if item.id in names]),
        *suspicious_replies(state.get("calls", []), snapshot.symbols),
    )
    return UntrustedTextFlagged(decision_id=state["decision_id"], found=found) if found else None
