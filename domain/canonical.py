"""One byte form for every value that is hashed: sorted keys, no spaces, no NaN, UTF-8."""

import hashlib
import json

from pydantic import BaseModel

from .errors import CanonicalError


def canonical_bytes(value: object) -> bytes:
    """The canonical JSON of a model or of plain JSON data.

    Equal values give equal bytes in every process; NaN and infinity raise CanonicalError, since
    JSON has no name for them and a hash over an invented one would not verify elsewhere.
    """
    data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    try:
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8")
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
    return f"{prefix}-{content_hash([str(part) for part in parts])[:16]}"
