import json
from importlib import metadata

import pytest
from skillweave.scripts.check_install import LEFT_OUT
from skillweave.scripts.cli import main
from skillweave.scripts.commands.env import facts

Capture = pytest.CaptureFixture[str]


def test_it_says_what_is_installed() -> None:
    found = facts()
    assert found["transformers"] == metadata.version("transformers")
    assert found["peft"] == metadata.version("peft")
    assert (found["torch"] or "").startswith(metadata.version("torch"))
    assert set(LEFT_OUT) <= found.keys()


def test_json_holds_the_same_facts(capsys: Capture) -> None:
    code = main(["env", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed == facts()
    assert code == (0 if printed["vllm"] else 1)


def test_the_table_names_every_fact(capsys: Capture) -> None:
    main(["env"])
    shown = capsys.readouterr().out
    assert all(key in shown for key in facts())
