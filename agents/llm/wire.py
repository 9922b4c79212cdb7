"""The wire port: one Chat Completions body out, one completion back, whatever carries them."""

import json
from typing import Any, Protocol

from ..errors import WireFailed

Body = dict[str, Any]
"""A Chat Completions request or reply as JSON: an edge; it is read into our own types at once."""


class Wire(Protocol):
    """Carries a request to a model. `where` names the far end without what may be a secret in it."""

    @property
    def where(self) -> str: ...

    async def post(self, body: Body, max_bytes: int) -> Body:
        """The completion, reassembled where it came as a stream; raises WireFailed when there is none."""
        ...


def parsed_json(raw: bytes) -> Body:
    """A reply's bytes as a JSON object."""
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WireFailed("the reply is not JSON") from error
    if not isinstance(payload, dict):
        raise WireFailed("the reply is not a JSON object")
    return payload
