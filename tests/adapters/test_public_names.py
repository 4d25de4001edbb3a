"""The room's front door: every promised name is there, and errors come without torch."""

import subprocess
import sys

import pytest
import skillweave.adapters as adapters


def test_exported_names_are_all() -> None:
    assert sorted(adapters._MODULE_OF) == sorted(adapters.__all__)
    for name in adapters.__all__:
        assert getattr(adapters, name).__class__ is not None
    assert set(adapters.__all__) <= set(dir(adapters))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = adapters.nope  # type: ignore[attr-defined]


def test_names_errors_and_the_store_come_without_torch() -> None:
    code = (
        "import sys, skillweave.adapters as a; "
        "a.Store, a.parse_model, a.NotFound, a.check_adapter, a.identify_base; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
