"""A whole alliance by hand: everything that people do, they do with the `lianmeng` command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lianmeng.cli.main import app

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]

UP = (sys.executable, "-m", "lianmeng.cli", "up")

MILLS = ("keqiao-yunjian", "keqiao-ruoye", "keqiao-jianshui", "keqiao-lanzhu", "keqiao-xiachuan")


class Terminal:
    """Somebody at a terminal, in one home directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._runner = CliRunner()

    def run(self, *words: str) -> Any:
        """A command as people give it; it must succeed."""
        answer = self._runner.invoke(app, [*words, "--home", str(self.home)])
        assert answer.exit_code == 0, (words, answer.output, answer.exception)
        return answer.stdout

    def json(self, *words: str) -> Any:
        """The same for a machine."""
        return json.loads(self.run(*words, "--json"))

    def refused(self, *words: str) -> Any:
        """A command that must be refused; what the machine is told."""
        answer = self._runner.invoke(app, [*words, "--json", "--home", str(self.home)])
        assert answer.exit_code == 1, (words, answer.output)
        return json.loads(answer.stdout)["error"]

    def until(self, holds: Callable[[Any], bool], *words: str) -> Any:
        """The answer of a command, as soon as it is so."""
        for _ in range(150):
            answer = self.json(*words)
            if holds(answer):
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{words} stays {answer}")


def start(home: Path) -> subprocess.Popen[str]:
    """`lianmeng up` on free ports, until it says that it is up."""
    ports = {f"LIANMENG_{n}_PORT": "0" for n in ("REGISTRY", "TREND", "MATCHER", "LIFECYCLE")}
    child = subprocess.Popen(
        [*UP, "--home", str(home)],
        env={**os.environ, **ports, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if "The platform is up" in line:
            return child
    raise AssertionError("it ended before it was up")


def stop(child: subprocess.Popen[str]) -> str:
    """Ctrl-C; what it says then."""
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=30)
    assert child.returncode == 0
    return said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def answer_all(terminal: Terminal, alliance: str) -> None:
    """Every member accepts what it is invited to."""
    shown = terminal.json("alliance", "show", alliance)
    for invitation in shown["state"]["invitations"]:
        if invitation["state"] != "PENDING":
            continue
        firm = ("--as", invitation["firm_id"])
        answer = terminal.json("invitation", "accept", invitation["invitation_id"], "--yes", *firm)
        assert answer["outcome"] == "ACCEPTED"


def work_through(terminal: Terminal, alliance: str) -> None:
    """All members report and accept, until nothing is left to do."""
    for _ in range(12):
        state = terminal.json("alliance", "show", alliance)["state"]
        left = [task for task in state["tasks"] if task["state"] in ("OPEN", "REPORTED")]
        if not left:
            return
        for task in left:
            if task["state"] == "OPEN":
                who = ("--as", task["firm_id"])
                terminal.run("task", "report", alliance, task["task_id"], *who)
            elif task["receiver_firm_id"] != task["firm_id"]:
                who = ("--as", task["receiver_firm_id"])
                terminal.run("task", "accept", alliance, task["task_id"], *who)


def test_people_form_run_and_dissolve_an_alliance_by_hand(home: Path, tmp_path: Path) -> None:
    terminal = Terminal(home)
    child = start(home)
    try:
        alliance = form(terminal, tmp_path / "pool")
        work_through(terminal, alliance)
        ended = terminal.until(
            lambda view: view["state"]["state"] == "DISSOLVED", "alliance", "show", alliance
        )
        check_the_end(terminal, alliance, ended)
    finally:
        said = stop(child)
    assert "The data stays" in said
    again = start(home)
    try:
        (found,) = terminal.json("alliance", "list")
        assert found["state"]["alliance_id"] == alliance
        assert found["state"]["state"] == "DISSOLVED"
    finally:
        stop(again)


def form(terminal: Terminal, pool: Path) -> str:
    """From nothing to a contract."""
    assert CliRunner().invoke(app, ["init", str(pool)]).exit_code == 0
    terminal.run("principal", "create", "association", "--role", "association")
    terminal.run("principal", "create", "zone-manager", "--role", "zone-manager")
    imported = terminal.json("firm", "import", str(pool), "--activate", "--as", "association")
    assert imported["refused_count"] == 0
    assert imported["activated_count"] > len(MILLS)
    mills = terminal.json("node", "list", "--role", "manufacturing", "--hs6", "6214")
    assert {node["firm_id"] for node in mills} == set(MILLS)
    wish = ("rpet-summer-scarf", "--market", "TH", "--p50", "3000", "--days", "30")
    would = terminal.json("demand", "what-if", *wish)
    assert would["plan"]["planned_units"] >= 1_500, would
    alliance = str(terminal.json("demand", "submit", *wish)["alliance_id"])
    terminal.until(lambda view: view["state"]["state"] == "INVITING", "alliance", "show", alliance)
    firm = terminal.json("alliance", "show", alliance)["state"]["invitations"][0]["firm_id"]
    check_what_a_firm_sees(terminal, alliance, firm)
    answer_all(terminal, alliance)
    terminal.until(lambda view: view["state"]["state"] == "ACTIVE", "alliance", "show", alliance)
    return alliance


def check_what_a_firm_sees(terminal: Terminal, alliance: str, firm: str) -> None:
    own = terminal.json("alliance", "show", alliance, "--as", firm)
    assert {one["firm_id"] for one in own["state"]["invitations"]} == {firm}
    assert own["own_annex"]["firm"] == firm
    waiting = terminal.json("alliance", "list", "--awaiting-me", "--as", firm)
    assert [one["state"]["alliance_id"] for one in waiting] == [alliance]
    assert "expires in 3 h" in terminal.run("invitation", "list", "--as", firm)
    error = terminal.refused("alliance", "approve", alliance, "--yes", "--as", firm)
    assert error["reason"] == "ROLE_MISSING"
    error = terminal.refused("alliance", "approve", alliance, "--yes")
    assert error["reason"] == "WRONG_STATE"


def check_the_end(terminal: Terminal, alliance: str, ended: Any) -> None:
    assert ended["state"]["dissolution_reason"] == "TASKS_COMPLETED"
    statement = terminal.json("alliance", "statement", alliance)
    assert sum(line["amount_fen"] for line in statement["lines"]) == statement["total_fen"] > 0
    health = terminal.json("doctor", "--history")
    assert health["well"], health
    assert any("every promise holds" in one["detail"] for one in health["findings"])
    told = terminal.run("log", alliance)
    assert "alliance.dissolved" in told
    assert "DISSOLVED" in terminal.run("alliance", "show", alliance)
    assert terminal.json("status")["well"]
