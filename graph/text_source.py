"""What the sentiment node keeps between decisions: the encoder's record, and what a model read, as the log tells it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ..domain.events import EvidenceRecorded
from ..memory.log import EventLog
from ..tools.encoders import load_encoder
from ..tools.text_readings import Answer, readings_in
from ..tools.text_record import TextRecord


class TextSource:
    """Made once per run; nothing in it that the log and the data would not give again."""

    def __init__(self, log: EventLog, encoder: Path | None = None) -> None:
        """`encoder` is a trained file, or the folder of a BERT-family model with its head; None is the shipped one."""
        self._log, self._encoder = log, encoder
        self._seq = 0
        self._prompt = ""
        self._answers: dict[str, Answer | None] = {}

    @cached_property
    def record(self) -> TextRecord:
        """The encoder is loaded with the first text, not before."""
        return TextRecord(load_encoder(self._encoder))

    def answered(self, prompt_hash: str, before: datetime, idents: Sequence[str]) -> Mapping[str, Answer | None]:
        """Of these texts, those that decisions of the run before a moment asked about under this prompt, and the
        answers. A decision that is made a second time finds in the log what it found the first time."""
        head = self._log.head()[0]
        if head < self._seq or prompt_hash != self._prompt:
            # The log was taken back for a walk over it: what it tells from here on comes again.
            self._answers, self._seq, self._prompt = {}, 0, prompt_hash
        for event in self._log.read(self._seq, until=head, types=(EvidenceRecorded,)):
            if event.event_time >= before:
                break
            self._seq = event.seq
            payload = event.decoded()
            assert isinstance(payload, EvidenceRecorded), "read by its type"
            for entry in payload.entries:
                self._answers.update(readings_in(entry, prompt_hash))
        return {ident: self._answers[ident] for ident in idents if ident in self._answers}
