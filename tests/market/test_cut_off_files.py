"""Files that end early, are damaged or were made to break a reader: each is refused or read by a typed word."""

import gzip
from pathlib import Path

import pytest
from parley.market.datasets import load_data, load_to_decide
from parley.market.errors import DataFileError
from parley.market.quality import check_file
from parley.market.raw_feed import read_raw_feed

ROWS = b"symbol,date,open,high,low,close,volume\n" + b"AAA,2020-01-02,1,1,1,1,5\n" * 500
PACKED = gzip.compress(ROWS)
DAMAGED = PACKED[:14] + b"\xff" * 200


@pytest.mark.parametrize("content", [PACKED[:8], PACKED[:30], PACKED[: len(PACKED) // 2], DAMAGED])
def test_a_packed_file_that_is_cut_off_or_damaged_is_refused_and_not_an_interruption(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(content)

    with pytest.raises(DataFileError, match="cannot be read"):
        load_data(str(path))
    assert [item.code for item in check_file(path).findings] == ["unreadable"]


def test_a_file_that_no_reader_opens_is_not_taken_for_daily_bars(tmp_path: Path) -> None:
    path = tmp_path / "books.parquet"
    path.write_bytes(b"PAR1 and then nothing that a reader knows")

    with pytest.raises(DataFileError, match="cannot be read"):
        load_to_decide(str(path), "15s")


@pytest.mark.parametrize(
    "line",
    [
        '{"a":' + "[" * 100_000,
        '{"data":"e"}',
        '{"data":[1]}',
        '{"data":{"e":"depthUpdate","T":1,"U":1,"u":1,"pu":0,"b":7,"a":{}}}',
        '{"data":{"e":"trade","T":1,"t":1,"p":"1e999","q":"1","m":true}}',
        '{"data":{"e":"trade","T":1,"t":1,"p":{},"q":[],"m":null}}',
    ],
)
def test_a_line_made_to_break_the_reader_is_counted_and_left_out(tmp_path: Path, line: str) -> None:
    good = '{"stream":"x","data":{"e":"trade","E":2,"T":2,"s":"X","t":2,"p":"10","q":"1","X":"MARKET","m":true}}'
    path = tmp_path / "feed.gz"
    path.write_bytes(gzip.compress(f"1700000000000000000 {line}\n1700000000000000001 {good}\n".encode()))

    feed = read_raw_feed(path)

    assert len(feed.rows) == 1
    assert "malformed" in [item.code for item in feed.findings]
