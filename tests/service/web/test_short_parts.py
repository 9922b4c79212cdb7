"""The short way to a page's parts: the same words as its route gives, and its route's refusals."""

from typing import Any

import pytest
from parley.service.api.lane import Lane

QUERIES = ("names=state", "names=state+equity+positions", "names=nothing", "names=decisions&of=all&at=12")


@pytest.fixture
def long_way(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Closes the short one for what follows."""

    def close() -> None:
        monkeypatch.setattr(Lane, "_shortly", nobody)

    return close


async def nobody(lane: Lane, scope: Any) -> None:
    return None


@pytest.mark.parametrize("query", QUERIES)
def test_parts_read_as_their_route_gives_them(still: Any, long_way: Any, query: str) -> None:
    client = still.client("vic")
    short = client.get(f"/parts?{query}")
    long_way()
    long = client.get(f"/parts?{query}")

    assert (short.status_code, short.text) == (long.status_code, long.text) == (200, short.text)
    assert short.headers["content-type"] == long.headers["content-type"]
    assert set(short.headers) == set(long.headers)


@pytest.mark.parametrize(
    ("user", "query"),
    [(None, "names=state"), ("vic", "names=state&run=nope"), ("vic", ""), ("vic", "names=" + "x" * 1_001)],
)
def test_what_a_route_refuses_is_refused_as_it_does(still: Any, long_way: Any, user: str | None, query: str) -> None:
    client = still.client(user)
    short = client.get(f"/parts?{query}", follow_redirects=False)
    long_way()
    long = client.get(f"/parts?{query}", follow_redirects=False)

    assert (short.status_code, short.text) == (long.status_code, long.text)
    assert short.status_code >= 300
