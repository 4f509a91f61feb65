"""Records as bytes: put together from remembered parts, they read back as they were."""

from __future__ import annotations

from lianmeng.alliance.wire import read_record, record_bytes
from lianmeng.runtime.codec import encode
from lianmeng.v1 import alliance_pb2
from tests.unit.test_alliance_checker import Life


def test_every_record_of_a_life_survives() -> None:
    for _, record in Life().run().history:
        assert read_record(record_bytes(record)) == record


def test_remembered_parts_are_the_message_that_the_codec_makes() -> None:
    for _, record in Life().run().history:
        whole = encode(record, alliance_pb2.AllianceRecord)
        assert alliance_pb2.AllianceRecord.FromString(record_bytes(record)) == whole
