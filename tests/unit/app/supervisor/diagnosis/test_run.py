"""The whole diagnosis, on a running platform and on broken ones."""

from datamate.app.supervisor.diagnosis.check import Status
from datamate.app.supervisor.diagnosis.run import diagnose
from datamate.config.root import load_settings


async def findings() -> dict[str, tuple[Status, str]]:
    return {check.name: (check.status, check.detail) async for check in diagnose()}


async def test_only_the_configuration_is_judged_when_a_variable_is_unknown(monkeypatch):
    monkeypatch.setenv("DATAMATE_GATEWAY__PROT", "1")
    found = await findings()
    assert list(found) == ["configuration"]
    status, detail = found["configuration"]
    assert status == Status.FAIL
    assert "DATAMATE_GATEWAY__PROT: did you mean DATAMATE_GATEWAY__PORT?" in detail


async def test_servers_elsewhere_fail_when_they_do_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("DATAMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATAMATE_GATEWAY__PORT", "0")
    monkeypatch.setenv("DATAMATE_DATABASE__URL", "postgresql://a:secret-password@127.0.0.1:1/b")
    monkeypatch.setenv("DATAMATE_REDIS__URL", "redis://:secret-password@127.0.0.1:1/0")
    monkeypatch.setenv("DATAMATE_STORAGE__URL", "file:///proc/nothing-can-be-made-here")
    found = await findings()
    failed = {name for name, (status, _) in found.items() if status == Status.FAIL}
    assert failed >= {"postgres", "redis", "object store"}
    assert "postgres program" not in found
    assert "secret-password" not in repr(found)


async def test_engines_are_asked_when_the_platform_runs(monkeypatch, tmp_path, make_platform):
    monkeypatch.setenv("DATAMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATAMATE_GATEWAY__PORT", "0")
    async with make_platform(load_settings()) as platform:
        monkeypatch.setenv("DATAMATE_GATEWAY__PORT", str(platform.settings.gateway.port))
        found = await findings()
    assert found["postgres"][1].startswith("PostgreSQL 18")
    assert found["redis"][1].startswith("Redis 6.2")
    assert found["server"][0] == Status.OK
    assert found["supervisor"][0] == Status.OK
