"""`python -m lianmeng.cli` is the `lianmeng` command."""

from lianmeng.cli.main import app

app()
