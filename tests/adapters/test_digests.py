"""The two digests: the byte layout by hand, and the laws that make them names."""

import hashlib
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.adapters.digests import (
    FileDigest,
    canonical_json,
    sha256_hex,
    version_digest,
    weights_digest,
)


def delta(scale: float = 2.0, fill: float = 0.0, dtype: torch.dtype = torch.float32) -> Delta:
    down_RI = torch.arange(6, dtype=dtype).reshape(2, 3) + fill
    up_OR = torch.arange(8, dtype=dtype).reshape(4, 2)
    return Delta(down_RI, up_OR, scale)


def test_the_layout_of_the_weights_digest_worked_by_hand() -> None:
    expected = b"skillweave.weights/1\n"
    expected += struct.pack("<I", 3) + b"a.b" + struct.pack("<d", 2.0)
    expected += struct.pack("<I", 7) + b"float32" + struct.pack("<IQQQ", 2, 2, 3, 24)
    expected += struct.pack("<6f", 0, 1, 2, 3, 4, 5)
    expected += struct.pack("<I", 7) + b"float32" + struct.pack("<IQQQ", 2, 4, 2, 32)
    expected += struct.pack("<8f", *range(8))
    assert weights_digest({"a.b": delta()}) == hashlib.sha256(expected).hexdigest()


def test_bfloat16_bytes_enter_as_they_are() -> None:
    one = Delta(torch.ones(1, 1, dtype=torch.bfloat16), torch.ones(1, 1, dtype=torch.bfloat16), 1.0)
    expected = b"skillweave.weights/1\n" + struct.pack("<I", 1) + b"m" + struct.pack("<d", 1.0)
    for _ in range(2):  # bfloat16 1.0 is 0x3f80
        expected += struct.pack("<I", 8) + b"bfloat16" + struct.pack("<IQQQ", 2, 1, 1, 2)
        expected += b"\x80\x3f"
    assert weights_digest({"m": one}) == hashlib.sha256(expected).hexdigest()


def test_order_strides_and_the_sign_of_zero_do_not_matter() -> None:
    a, b = delta(), delta(fill=1.0)
    assert weights_digest({"a": a, "b": b}) == weights_digest({"b": b, "a": a})
    strided = Delta(a.down_RI.t().contiguous().t(), a.up_OR, 2.0)
    assert not strided.down_RI.is_contiguous()
    assert weights_digest({"a": strided}) == weights_digest({"a": a})
    assert weights_digest({"a": delta(-0.0)}) == weights_digest({"a": delta(0.0)})


@pytest.mark.parametrize(
    "other",
    [
        {"n": delta()},
        {"m": delta(scale=2.0000000000000004)},
        {"m": delta(fill=1e-6)},
        {"m": delta(dtype=torch.float64)},
        {"m": Delta(delta().down_RI.reshape(2, 3), delta().up_OR.flip(0), 2.0)},
        {"m": delta(), "n": delta()},
        {},
    ],
    ids=["name", "scale", "value", "dtype", "order", "module", "nothing"],
)
def test_whatever_changes_the_function_changes_the_digest(other: AdapterDelta) -> None:
    assert weights_digest(other) != weights_digest({"m": delta()})


def manifest(**change: object) -> str:
    parts: dict[str, object] = {
        "weights": "0" * 64,
        "config": b"{}",
        "skill": {"SKILL.md": FileDigest("1" * 64)},
        "card": {"seed": 1},
        **change,
    }
    return version_digest(parts.pop("weights"), parts.pop("config"), **parts)  # type: ignore[arg-type]


def test_the_version_digest_worked_by_hand() -> None:
    text = (
        '{"card":{"seed":1},"config_sha256":"' + hashlib.sha256(b"{}").hexdigest() + '",'
        '"format":"skillweave.version/1","skill":{"SKILL.md":["' + "1" * 64 + '",false]},'
        '"weights_digest":"' + "0" * 64 + '"}'
    )
    assert manifest() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "1" * 64},
        {"config": b"{} "},
        {"skill": {}},
        {"skill": {"skill.md": FileDigest("1" * 64)}},
        {"skill": {"SKILL.md": FileDigest("1" * 64, executable=True)}},
        {"card": {"seed": 2}},
    ],
)
def test_each_part_of_the_manifest_counts(change: dict[str, object]) -> None:
    assert manifest(**change) != manifest()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))


def test_canonical_json_spells_one_way_and_refuses_what_json_cannot_say() -> None:
    assert canonical_json({"b": [1, 0.5], "a": "é"}) == '{"a":"é","b":[1,0.5]}'.encode()
    for bad in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(ValueError, match=r"nan|inf|surrogate|Out of range"):
            canonical_json([bad])


def test_sha256_hex_of_the_empty_text() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
