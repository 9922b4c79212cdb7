"""One byte form for every value that is hashed: sorted keys, no spaces, no NaN, UTF-8."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import cast

from pydantic import BaseModel

from .errors import CanonicalError
from .model_text import is_model, model_text

# Built once: json.dumps would build an encoder at every call that asks for anything but the defaults.
_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_bytes(value: object) -> bytes:
    """The canonical JSON of a model or of plain JSON data, in UTF-8."""
    return canonical_text(value).encode("utf-8")


def canonical_text(value: object) -> str:
    """The same as text; it has a UTF-8 form.

    Equal values give equal bytes in every process; NaN and infinity raise CanonicalError, since
    JSON has no name for them and a hash over an invented one would not verify elsewhere.
    """
    try:
        text = model_text(cast(BaseModel, value)) if is_model(type(value)) else None
        if text is None:
            text = _encoded(value.model_dump(mode="json") if isinstance(value, BaseModel) else value)
        if not text.isascii():
            text.encode("utf-8")
        return text
    except (TypeError, ValueError) as error:
        raise CanonicalError(
            f"value has no canonical JSON form: {error}",
            remedy="Pass finite numbers, text, lists and dicts with text keys.",
        ) from error


def content_hash(value: object) -> str:
    """SHA-256 of the canonical bytes, as 64 hex digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def short_id(prefix: str, *parts: object) -> str:
    """A deterministic id: the same parts always give the same id, so that a resend is the same order."""
    return f"{prefix}-{hashlib.sha256(_list_of(parts) + b']').hexdigest()[:16]}"


@lru_cache(maxsize=1024)
def numbered_ids(prefix: str, *parts: str) -> Callable[[int], str]:
    """`short_id` of these parts and a number, for the many ids that differ in the number alone."""
    begun = hashlib.sha256(_list_of(parts) + b",")

    def numbered(number: int) -> str:
        digest = begun.copy()
        digest.update(b'"%d"]' % number)
        return f"{prefix}-{digest.hexdigest()[:16]}"

    return numbered


def _list_of(parts: Sequence[object]) -> bytes:
    """The canonical bytes of the list of texts but for its end, spelled out: an id is made for every event."""
    text = ",".join([encode_basestring(str(part)) for part in parts])
    try:
        return f"[{text}".encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(
            f"a part of the id has no UTF-8 form: {error}", remedy="Pass text without lone surrogates."
        ) from error
