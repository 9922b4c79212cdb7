"""The files that pages load: what others wrote is what they published, all is small, and none comes twice."""

import gzip
import hashlib
import re
from typing import Any

import pytest
from parley.service.web.assets import FOLDER, all_assets

SCRIPT_BYTES = 150_000
TABLE_ROW = re.compile(r"^\| (\S+) \| ([^|]+) \| (\S+) \| (0BSD|MIT) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
OURS = {"desk.js", "plots.js"}


def vendored() -> dict[str, str]:
    text = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    return {found[1]: found[5] for found in TABLE_ROW.finditer(text)}


def test_each_file_of_others_is_named_with_its_licence_and_is_what_they_published() -> None:
    table = vendored()
    there = {path.name for path in FOLDER.iterdir() if ".min." in path.name}

    assert set(table) == there
    assert {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in table} == table


def test_all_scripts_together_are_small() -> None:
    scripts = {name: asset for name, asset in all_assets().items() if name.endswith(".js")}

    assert sum(len(asset.packed) for asset in scripts.values()) < SCRIPT_BYTES
    assert scripts.keys() >= OURS and len(scripts) == len(vendored()) - 1 + len(OURS)


@pytest.mark.parametrize("name", sorted(all_assets()))
def test_a_file_is_kept_for_good_under_its_hash_and_comes_packed(still: Any, name: str) -> None:
    client, asset = still.client(None), all_assets()[name]

    plain = client.get(asset.url, headers={"Accept-Encoding": "identity"})
    packed = client.get(asset.url, headers={"Accept-Encoding": "gzip"})

    assert plain.content == asset.body == packed.content == gzip.decompress(asset.packed)
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == "Accept-Encoding"


def test_another_hash_and_another_name_are_not_there(still: Any) -> None:
    client, asset = still.client(None), all_assets()["desk.js"]

    assert client.get(f"/static/{'0' * 16}/desk.js").status_code == 404
    assert client.get(f"/static/{asset.hash}/web.css").status_code == 404
    assert client.get(f"/static/{asset.hash}/..%2fLICENSES.md").status_code == 404
    assert client.get(f"/static/{asset.hash}/LICENSES.md").status_code == 404


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_scripts_make_no_markup_and_no_code_out_of_text(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")

    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?://", text
    )
