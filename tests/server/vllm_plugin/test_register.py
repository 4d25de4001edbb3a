"""When the plugin is active: asked for, and on a version of vLLM that was tested."""

import logging
from importlib.metadata import entry_points

import pytest
from skillweave.server import vllm_plugin
from skillweave.server.engines.launch import PLUGIN, require_plugin


def test_the_installed_package_offers_the_plugin_to_vllm() -> None:
    found = [
        point for point in entry_points(group="vllm.general_plugins") if point.module == PLUGIN
    ]
    assert [point.load() for point in found] == [vllm_plugin.register]
    require_plugin()


def test_it_does_nothing_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(vllm_plugin.ACTIVE, raising=False)
    monkeypatch.setattr(vllm_plugin, "TESTED", "0.0.")
    vllm_plugin.register()
    assert not caplog.records


def test_an_untested_vllm_keeps_the_stock_path_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(vllm_plugin.ACTIVE, "1")
    monkeypatch.setattr(vllm_plugin, "TESTED", "0.0.")
    with caplog.at_level(logging.WARNING, logger="vllm.skillweave"):
        vllm_plugin.register()
    assert "not active" in caplog.text


@pytest.mark.vllm
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # vLLM's import
def test_on_a_tested_vllm_every_change_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import vllm.plugins
    from vllm.lora.model_manager import LoRAModelManager
    from vllm.lora.worker_manager import WorkerLoRAManager
    from vllm.v1.engine.core import EngineCore

    monkeypatch.setenv(vllm_plugin.ACTIVE, "1")
    monkeypatch.delenv("SKILLWEAVE_STORE", raising=False)
    vllm_plugin.register()

    def changed() -> list[object]:
        return [
            LoRAModelManager.activate_adapter,
            WorkerLoRAManager._load_adapter,
            vllm.plugins.load_endpoint_plugins,
            EngineCore.skillweave_remove,
        ]

    first = changed()
    vllm_plugin.register()
    assert changed() == first
    assert EngineCore.skillweave_remove.__module__ == "skillweave.server.vllm_plugin.engine_calls"
