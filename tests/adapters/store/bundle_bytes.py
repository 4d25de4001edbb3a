"""A bundle taken apart and put together again, and every way that we know to spoil its manifest.

To add a way: one line in `BAD`, with the code that it must be refused with.
"""

import json
from collections.abc import Callable
from typing import Any

from skillweave.adapters.digests import sha256_hex

Document = dict[str, Any]


def manifest_of(data: bytes) -> tuple[Document, bytes]:
    """Its manifest, and the content behind it."""
    head, _, rest = data.partition(b"\n")
    length = int(head.split()[-1])
    return json.loads(rest[:length]), rest[length + 1 :]


def with_manifest(document: object, content: bytes) -> bytes:
    """A bundle of both."""
    raw = json.dumps(document).encode()
    return b"skillweave-bundle 1 %d\n" % len(raw) + raw + b"\n" + content


def with_twice(data: bytes) -> bytes:
    """The same bundle, its format said twice."""
    document, content = manifest_of(data)
    raw = b'{"format":1,' + json.dumps(document).encode()[1:]
    return b"skillweave-bundle 1 %d\n" % len(raw) + raw + b"\n" + content


def rename(files: Document, old: str, new: str) -> None:
    files[new] = files.pop(old)


def skill_of(document: Document) -> Document:
    return next(v["files"] for v in document["versions"] if "skill/SKILL.md" in v["files"])


BAD: dict[str, tuple[Callable[[Document], object], str]] = {
    "a way up": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/../../x"), "unsafe_name"),
    "an absolute path": (lambda d: rename(skill_of(d), "skill/SKILL.md", "/etc/x"), "unsafe_name"),
    "beside the skill": (lambda d: rename(skill_of(d), "skill/SKILL.md", "x.py"), "unsafe_name"),
    "a dot": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/./x"), "unsafe_name"),
    "an empty part": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill//x"), "unsafe_name"),
    "only the folder": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/"), "unsafe_name"),
    "a NUL": (lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/a\0b"), "unsafe_name"),
    "a file as a folder": (
        lambda d: skill_of(d).update({"skill/scripts": skill_of(d)["skill/SKILL.md"]}),
        "unsafe_name",
    ),
    "a long name": (
        lambda d: rename(skill_of(d), "skill/SKILL.md", "skill/" + "x" * 300),
        "unsafe_name",
    ),
    "no card": (lambda d: d["versions"][0]["files"].pop("card.json"), "bad_bundle"),
    "an unknown field": (lambda d: d.update(link="/etc"), "bad_bundle"),
    "no versions": (lambda d: d.update(versions=[]), "bad_bundle"),
    "a blob twice": (lambda d: d["blobs"].append(d["blobs"][0] | {"size_bytes": 0}), "bad_bundle"),
    "a blob for nothing": (
        lambda d: d["blobs"].append({"sha256": sha256_hex(b""), "size_bytes": 0}),
        "bad_bundle",
    ),
    "a blob too few": (
        lambda d: d["versions"][0]["files"]["card.json"].update(sha256="0" * 64),
        "bad_bundle",
    ),
    "more bytes announced than there are": (
        lambda d: d["blobs"][0].update(size_bytes=1 << 60),
        "truncated_bundle",
    ),
    "a negative size": (lambda d: d["blobs"][0].update(size_bytes=-1), "bad_bundle"),
    "an id that is none": (lambda d: d["versions"][0].update(id="../x"), "unsafe_name"),
    "an alias that is none": (lambda d: d["versions"][0].update(aliases=["../x"]), "unsafe_name"),
    "another version digest": (
        lambda d: d["versions"][0].update(version_digest="0" * 64),
        "wrong_digest",
    ),
    "another weights digest": (
        lambda d: d["versions"][1].update(weights_digest="0" * 64),
        "wrong_digest",
    ),
    "filed under another base": (lambda d: d["versions"][0].update(base="0" * 64), "bad_bundle"),
    "another version's config": (
        lambda d: d["versions"][0]["files"].update(
            {"adapter_config.json": d["versions"][0]["files"]["card.json"]}
        ),
        "bad_config",
    ),
    "a file that may be run": (
        lambda d: skill_of(d)["skill/SKILL.md"].update(executable=True),
        "wrong_digest",
    ),
    "a time that is none": (
        lambda d: d["versions"][0].update(created_at="\x1b[31m2026"),
        "bad_bundle",
    ),
    "too much evidence": (
        lambda d: d["versions"][0].update(attestations=[{"n": 1}] * 1001),
        "bad_bundle",
    ),
    "one digest, two contents": (
        lambda d: d["versions"][0].update(version_digest=d["versions"][1]["version_digest"]),
        "bad_bundle",
    ),
    "rows that are none": (
        lambda d: d["rows"].append(
            d["versions"][0]["files"]["adapter_model.safetensors"]["sha256"]
        ),
        "bad_bundle",
    ),
}
