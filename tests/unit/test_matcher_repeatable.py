"""The same question gives the same plan, byte for byte, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.source_tree import ROOT

PROGRAM = """
import hashlib
from bench.matches import seeded_pool
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from lianmeng.runtime.codec import encode
from lianmeng.v1 import alliance_pb2
from tests.pools import demand, question
outcome = match(question(demand()), seeded_pool(3, 10))
assert isinstance(outcome, Found)
data = encode(outcome.plan, alliance_pb2.Plan).SerializeToString(deterministic=True)
print(hashlib.sha256(data + outcome.risk_report).hexdigest())
"""


def plan_in_a_new_process(hash_seed: str) -> str:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "services"), str(ROOT)]),
    }
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout


@pytest.mark.timeout(120)
def test_two_processes_make_one_plan() -> None:
    assert plan_in_a_new_process("1") == plan_in_a_new_process("2") != ""
