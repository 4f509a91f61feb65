"""Settings from the environment, and where the servers are."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.settings import (
    Endpoints,
    Settings,
    find_endpoints,
    find_service,
    load_settings,
    write_endpoints,
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LIANMENG_{name.upper()}", raising=False)


def test_every_field_has_a_description_and_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


def test_the_environment_and_then_the_caller_win(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIANMENG_HOME", str(tmp_path))
    monkeypatch.setenv("LIANMENG_REGISTRY_PORT", "9000")
    settings = load_settings(trend_port=0, zone=None)
    assert settings.home == tmp_path
    assert (settings.port("registry"), settings.metrics_port("registry")) == (9000, 9100)
    assert (settings.port("trend"), settings.metrics_port("trend")) == (0, 0)
    assert settings.zone == "zj"
    assert settings.key_path("matcher") == tmp_path / "keys" / "matcher.pem"


@pytest.mark.parametrize("how", ["environment", "option"])
def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    options: dict[str, object] = {}
    if how == "environment":
        monkeypatch.setenv("LIANMENG_REPLICAS", "many")
    else:
        options["replicas"] = 77
    with pytest.raises(Rejected) as caught:
        load_settings(**options)
    assert caught.value.field == "LIANMENG_REPLICAS"
    assert "Copies" in caught.value.hint


def test_endpoints_are_found_in_the_home_directory(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with pytest.raises(Rejected, match="lianmeng up"):
        find_endpoints(settings)
    assert find_service(settings, "registry") == "127.0.0.1:7401"
    written = Endpoints("nats://127.0.0.1:1", "unix:///x", {"registry": "127.0.0.1:2"})
    write_endpoints(tmp_path, written)
    found = find_endpoints(settings)
    assert (found.nats_url, found.redis_url) == (written.nats_url, written.redis_url)
    assert found.services["registry"] == find_service(settings, "registry") == "127.0.0.1:2"
    assert found.services["trend"] == "127.0.0.1:7402"
    explicit = load_settings(home=tmp_path, nats_url="nats://far:4222", trend_endpoint="far:1")
    assert find_endpoints(explicit).nats_url == "nats://far:4222"
    assert find_endpoints(explicit).services["trend"] == "far:1"
