"""Whether a log still is what was written, looked at again and again: only what it has gained since the last look."""

from ...domain.events import GENESIS_HASH, chain_hash
from ...memory.log import EventLog


class LogCheck:
    """Walks the chain from the last event it found sound."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._seq, self._hash = 0, GENESIS_HASH

    def complaint(self) -> str:
        """Empty when every event up to the head follows from the one before it, and is what its hash says."""
        for event in self._log.read(self._seq):
            body = event.model_dump(mode="json", exclude={"hash", "prev_hash"})
            if event.prev_hash != self._hash:
                return f"event {event.seq} does not follow event {self._seq}"
            if chain_hash(event.prev_hash, body) != event.hash:
                return f"event {event.seq} is not what was written"
            self._seq, self._hash = event.seq, event.hash
        head = self._log.head()
        return "" if head == (self._seq, self._hash) else f"the log's head is event {head[0]}, found was {self._seq}"
