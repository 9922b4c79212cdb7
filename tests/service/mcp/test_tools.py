"""What `parley mcp` lists, answers and refuses, and the two steps over standard input and output."""

import asyncio
import json
import shutil
from collections.abc import Coroutine
from contextlib import closing
from typing import Any

import pytest
from mcp import MCPError
from parley.desk.operator import book_post
from parley.service.access.audit import read_calls
from parley.service.access.store import AccessStore
from parley.service.answers.table import ASKABLES
from parley.service.pages.twin import resolve


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_a_viewer_sees_every_question_and_no_way_to_change_anything(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside() as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {name for name, item in ASKABLES.items() if item.role == "viewer"}
            assert all(tool.annotations.read_only_hint for tool in tools.values())
            for name, tool in tools.items():
                assert tool.input_schema == ASKABLES[name].parameters.model_json_schema()

    run(work())


def test_an_answer_carries_its_kind_its_citations_and_beside_it_the_evidence_of_each(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside() as client:
            reply = await client.call_tool("positions", {})
            document, evidence = reply.structured_content, reply.meta["parley/evidence"]
            assert not reply.is_error
            assert document["kind"] == "table" and "evidence" not in document
            assert reply.content[0].text.startswith(document["answer"])
            assert document["citations"]
            for ref in document["citations"]:
                resolve(evidence, ref)

    run(work())


def test_what_does_not_fit_is_an_error_that_a_model_can_mend(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside() as client:
            reply = await client.call_tool("shock", {"market": "much"})
            assert reply.is_error
            assert reply.structured_content["error"]["code"] == "bad_arguments"
            assert reply.structured_content["error"]["remedy"] == "It takes: market."
            with pytest.raises(MCPError, match="is no tool of this desk"):
                await client.call_tool("buy", {})

    run(work())


def test_a_viewers_proposal_is_refused_and_gets_no_token(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside(user="vic") as client:
            reply = await client.call_tool("propose_halt", {"reason": "to see"})
            assert reply.structured_content["kind"] == "refuse"
            assert reply.structured_content["token"] is None
            forged = await client.call_tool("confirm", {"token": "x" * 32})
            assert forged.is_error and forged.structured_content["error"]["code"] == "token_refused"
        assert not book_post(kept.book).flag.is_raised

    run(work())


def test_an_operator_halts_in_two_steps_and_the_token_works_once(kept: Any) -> None:
    async def work() -> None:
        async with kept.stdio("--user", "oz", "--role", "operator") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert {"propose_halt", "confirm"} <= names and "propose_resume" not in names
            shown = await client.call_tool("propose_halt", {"reason": "news"})
            token = shown.structured_content["token"]
            assert token and not book_post(kept.book).flag.is_raised
            done = await client.call_tool("confirm", {"token": token})
            assert done.structured_content["answer"].startswith("Done: halt.")
            assert book_post(kept.book).flag.is_raised
            again = await client.call_tool("confirm", {"token": token})
            assert again.structured_content["error"]["code"] == "token_refused"
        calls = [(line["action"], line["user"], line["code"]) for line in read_calls(kept.book)]
        assert ("MCP tools/call propose_halt", "oz", "") in calls
        assert calls[-1] == ("MCP tools/call confirm", "oz", "token_refused")

    run(work())


def test_a_token_of_one_user_is_nothing_in_anothers_hands(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside(user="oz", role="operator") as client:
            token = (await client.call_tool("propose_halt", {"reason": "news"})).structured_content["token"]
        async with kept.inside(user="una", role="operator") as client:
            stolen = await client.call_tool("confirm", {"token": token})
            assert stolen.structured_content["error"]["code"] == "token_refused"
        assert not book_post(kept.book).flag.is_raised

    run(work())


def test_who_starts_it_with_a_token_is_that_user_with_what_the_token_is_for(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside(token=kept.tokens["una"]) as client:
            reply = await client.call_tool("propose_halt", {"reason": "news"})
            assert reply.is_error and reply.structured_content["error"]["code"] == "not_allowed"
            assert not (await client.call_tool("positions", {})).is_error

    run(work())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--user", "eve"], "this book has users, and 'eve' is none who may sign in"),
        (["--user", "vic", "--role", "operator"], "vic is viewer, and operator is more than that"),
    ],
)
def test_who_is_no_user_of_the_book_or_wants_more_than_their_role_is_told_so_as_in_the_chat(
    kept: Any, parley: Any, options: list[str], said: str
) -> None:
    served = parley("mcp", "--book", kept.book, *options)
    asked = parley("chat", "--book", kept.book, "--ask", "positions", *options)

    assert served.code == asked.code != 0
    assert said in served.err
    assert served.err == asked.err


def test_a_user_who_is_shut_out_while_it_runs_is_refused_at_the_next_call(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside(user="oz") as client:
            assert not (await client.call_tool("positions", {})).is_error
            with closing(AccessStore(kept.book)) as store:
                store.set_disabled("oz", True)
            refused = await client.call_tool("positions", {})
            assert refused.is_error and refused.structured_content["error"]["code"] == "not_signed_in"

    run(work())


def test_a_book_without_users_takes_any_name_as_a_viewer_unless_more_is_asked_for(kept: Any) -> None:
    shutil.rmtree(kept.book / "access")

    async def work() -> None:
        for role, may_halt in ((None, False), ("admin", True)):
            async with kept.inside(user="whoever", role=role) as client:
                names = {tool.name for tool in (await client.list_tools()).tools}
                assert ("propose_halt" in names) == may_halt

    run(work())


def test_reports_are_read_by_address_and_nothing_else_is(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside() as client:
            listed = (await client.list_resources()).resources
            order = next(item for item in listed if item.name.startswith("par-"))
            first = order.uri
            twin = (await client.read_resource(first)).contents[0]
            page = (await client.read_resource(f"{first}.html")).contents[0]
            assert twin.mime_type == "application/json" and twin.text.startswith('{"kind":')
            assert page.mime_type == "text/html" and page.text.lstrip().lower().startswith("<!doctype html>")
            link = (await client.call_tool("report", {"id": order.name})).content[1]
            assert link.uri == first
            for address in ("parley://reports/../log", "parley://reports/par-0000000000000000", "file:///etc/passwd"):
                with pytest.raises(MCPError) as refused:
                    await client.read_resource(address)
                assert refused.value.data["code"] == "unknown_resource"

    run(work())


def test_the_desks_regular_reports_are_resources_as_well(kept: Any) -> None:
    async def work() -> None:
        async with kept.inside() as client:
            names = [item.name for item in (await client.list_resources()).resources]
            day = next(name for name in names if name.startswith("daily-"))
            assert names[0] == "execution" and f"monthly-{day[6:13]}" in names
            for name in ("execution", f"monthly-{day[6:13]}", day):
                address = f"parley://reports/{name}"
                twin = json.loads((await client.read_resource(address)).contents[0].text)
                page = (await client.read_resource(f"{address}.html")).contents[0].text
                assert twin["id"] == name
                assert page.lstrip().lower().startswith("<!doctype html>")
            for address in ("parley://reports/daily-1999-01-04", "parley://reports/monthly-1999-01"):
                with pytest.raises(MCPError) as refused:
                    await client.read_resource(address)
                assert refused.value.data["code"] == "unknown_resource"

    run(work())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--http", "--role", "admin"], "each call brings its own token"),
        (["--token", "x", "--user", "ada"], "--token says who it is"),
        (["--role", "king"], "king"),
        (["--book", "nowhere"], "no run in"),
    ],
)
def test_options_that_do_not_go_together_are_refused(parley: Any, options: list[str], said: str) -> None:
    outcome = parley("mcp", *options)

    assert outcome.code == 2
    assert said in outcome.err
