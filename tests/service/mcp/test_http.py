"""`parley mcp --http` on a loopback port, with the official SDK's own client and tokens of the book's users."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx2
from parley.desk.operator import book_post
from parley.service.access.audit import read_calls
from parley.service.access.keys import token_id
from parley.service.access.store import AccessStore


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
TAKES = {"Accept": "application/json, text/event-stream"}


def test_the_same_desk_answers_and_obeys_by_token(kept: Any, connect: Any) -> None:
    async def work() -> None:
        async with connect("oz") as client:
            assert {"positions", "propose_halt"} <= {tool.name for tool in (await client.list_tools()).tools}
            assert (await client.call_tool("positions", {})).structured_content["kind"] == "table"
            shown = (await client.call_tool("propose_halt", {"reason": "news"})).structured_content
            async with connect("vic") as other:
                stolen = await other.call_tool("confirm", {"token": shown["token"]})
                assert stolen.structured_content["error"]["code"] == "token_refused"
                refused = (await other.call_tool("propose_halt", {"reason": "news"})).structured_content
                assert refused["kind"] == "refuse" and refused["token"] is None
            shown = (await client.call_tool("propose_halt", {"reason": "news"})).structured_content
            done = (await client.call_tool("confirm", {"token": shown["token"]})).structured_content
            assert done["answer"].startswith("Done: halt.")
        assert book_post(kept.book).flag.is_raised
        calls = [(line["action"], line["user"], line["via"]) for line in read_calls(kept.book)]
        assert ("MCP tools/call confirm", "oz", "token") in calls

    run(work())


def test_without_a_token_with_a_strange_one_or_from_another_page_nothing_is_answered(kept: Any, served_at: str) -> None:
    token = {"Authorization": f"Bearer {kept.tokens['vic']}"}

    def status(**headers: str) -> int:
        return httpx2.post(served_at, json=CALL, headers={**TAKES, **headers}, timeout=30).status_code

    assert status() == 401
    assert status(Authorization="Bearer nobody") == 401
    assert status(Cookie="parley_session=x") == 401
    assert status(**token, Host="evil.example") == 403
    assert status(**token, Origin="http://evil.example") == 403
    assert httpx2.post(served_at, content=b"x" * 70_000, headers={**TAKES, **token}, timeout=30).status_code == 413


def test_a_revoked_token_is_over_with_the_next_call(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside(token=kept.tokens["una"]) as client:
            assert not (await client.call_tool("positions", {})).is_error
            store = AccessStore(kept.book)
            store.revoke_token(token_id(kept.tokens["una"]) or "unknown")
            store.close()
            over = await client.call_tool("positions", {})
            assert over.structured_content["error"]["code"] == "not_signed_in"

    run(work())
