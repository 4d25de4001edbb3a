"""What the whole store shares: blobs, quotas, the schema and the way to it, the file system."""

import itertools
import json
import os
import shutil
import warnings
from pathlib import Path

import pytest
from skillweave.adapters.errors import StoreError
from skillweave.adapters.store import file_systems
from skillweave.adapters.store.schema import Quotas
from skillweave.adapters.store.store import Store
from skillweave.scripts.exams.store_jobs import Material

from .shelf import Shelf

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def shelf(tmp_path: Path, made: Material) -> Shelf:
    return Shelf(tmp_path / "store", made)


def test_the_same_weights_are_one_file_whatever_the_card_says(shelf: Shelf) -> None:
    one, two, other = shelf.put("a", 1), shelf.put("team/b", 2), shelf.put("a", 3, weights=2)
    assert one.version_digest != two.version_digest
    assert (one.path / WEIGHTS).samefile(two.path / WEIGHTS)
    assert not (one.path / WEIGHTS).samefile(other.path / WEIGHTS)
    assert len(os.listdir(shelf.root / "blobs")) == 2
    assert (one.path / WEIGHTS).stat().st_mode & 0o777 == 0o444


def test_gc_frees_a_blob_with_its_last_object(shelf: Shelf) -> None:
    one = shelf.put("a", 1)
    shelf.put("b", 2)
    size = (one.path / WEIGHTS).stat().st_size
    shelf.store.remove("b", 1)
    report = shelf.store.gc()
    assert [name.split("/")[0] for name in report.removed] == ["objects"]
    assert 0 < report.freed_bytes < size + 2000
    assert (one.path / WEIGHTS).is_file()
    shelf.store.remove("a", 1)
    again = shelf.store.gc()
    assert sorted(name.split("/")[0] for name in again.removed) == ["blobs", "objects"]
    assert again.freed_bytes > size
    assert shelf.store.fsck() == []


def test_a_damaged_blob_is_not_spread(shelf: Shelf) -> None:
    one = shelf.put("a", 1)
    blob = next((shelf.root / "blobs").iterdir())
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(data)
    two = shelf.put("b", 2)
    assert not (one.path / WEIGHTS).samefile(two.path / WEIGHTS)
    assert {problem.code for problem in shelf.store.fsck()} == {"corrupt_object"}
    shelf.store.remove("a", 1)
    shutil.rmtree(one.path)
    assert {problem.code for problem in shelf.store.fsck()} == {"corrupt_blob"}
    shelf.store.gc()
    assert shelf.store.fsck() == []


def test_a_full_store_says_what_it_holds_needs_and_allows(shelf: Shelf) -> None:
    shelf.put("a", 1)
    held = shelf.store.usage().bytes
    shelf.store.set_quotas(Quotas(bytes=held + 100))
    before = shelf.tree()
    with pytest.raises(StoreError, match=rf"holds {held} bytes, this needs \d+ more.*allowed"):
        shelf.put("b", 2, weights=2)
    changed = {path for path, seen in shelf.tree().items() if before.get(path) != seen}
    assert {path for path in changed if not path.startswith(("lock", "index"))} == set()
    with pytest.raises(StoreError, match="allowed are"):
        shelf.store.put_rows([{"text": "x" * 200}])
    shelf.store.put_rows([{"n": 1}])
    shelf.store.tag("a", "prod", 1)  # needs no room
    shelf.store.set_quotas(Quotas(bytes=held + 100_000))
    assert shelf.put("b", 2, weights=2).number == 1


def test_weights_that_are_here_already_cost_the_store_nothing(shelf: Shelf) -> None:
    one = shelf.put("a", 1)
    weights = (one.path / WEIGHTS).stat().st_size
    before = shelf.store.usage().bytes
    shelf.put("b", 2)
    grown = shelf.store.usage().bytes - before
    assert grown < weights + 1500
    shelf.store.set_quotas(Quotas(bytes=before + 2 * grown))
    shelf.put("c", 3)


def test_what_is_here_already_is_not_charged_again(shelf: Shelf) -> None:
    one = shelf.put("team/a", 1)
    held = shelf.store.usage()
    shelf.store.set_quotas(
        Quotas(bytes=held.bytes, namespaces={"team": held.namespaces["team"][0]})
    )
    assert shelf.put("team/a", 1) == one
    with pytest.raises(StoreError, match="allowed are"):
        shelf.store.attest(one.version_digest, {"score": 1})
    shelf.store.set_quotas(Quotas(bytes=held.bytes + 11))
    shelf.store.attest(one.version_digest, {"score": 1})
    assert shelf.store.usage().bytes == held.bytes + 11


def test_rows_without_end_stop_at_the_quota(shelf: Shelf) -> None:
    digest = shelf.store.put_rows([{"n": 1}])
    shelf.store.set_quotas(Quotas(bytes=1000))
    taken = itertools.count()
    with pytest.raises(StoreError, match="allowed are 1000"):
        shelf.store.put_rows({"n": n} for n in taken)
    assert next(taken) < 300
    before = shelf.store.usage().bytes
    shelf.store.set_quotas(Quotas(bytes=before + 16))
    shelf.store.put_rows([{"n": 2}, {"n": 3}])  # just fits
    shelf.store.set_quotas(Quotas(bytes=1))
    assert shelf.store.put_rows([{"n": 1}]) == digest


def test_a_namespace_has_a_quota_of_its_own(shelf: Shelf) -> None:
    shelf.put("team/a", 1)
    shelf.put("free", 1)
    usage = shelf.store.usage()
    held = usage.namespaces["team"][0]
    assert usage.namespaces[""] == (held - len("team/a") + len("free"), None)  # named in the card
    shelf.store.set_quotas(Quotas(namespaces={"team": held + 10}))
    with pytest.raises(StoreError, match=f"namespace 'team'.*holds {held} bytes"):
        shelf.put("team/b", 2)
    assert shelf.put("other/b", 2).number == 1
    assert shelf.store.usage().namespaces["team"] == (held, held + 10)
    document = json.loads((shelf.root / "store.json").read_text())
    assert document == {
        "schema": 2,
        "quotas": {"bytes": None, "namespaces": {"team": held + 10}},
    }


def downgrade(root: Path) -> None:
    """A store as skillweave wrote it before `store.json` and blobs."""
    (root / "store.json").unlink()
    shutil.rmtree(root / "blobs")
    for folder in (root / "objects").iterdir():
        data = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).unlink()
        (folder / WEIGHTS).write_bytes(data)


def test_an_old_store_reads_as_it_is_and_is_brought_up_to_date_by_the_first_write(
    shelf: Shelf,
) -> None:
    shelf.put("a", 1)
    shelf.put("b", 2, weights=2)
    expected = shelf.store.list()
    downgrade(shelf.root)
    assert Store(shelf.root, read_only=True).list() == expected
    assert shelf.store.list() == expected
    assert not (shelf.root / "store.json").exists()
    shelf.store.tag("a", "prod", 1)
    assert json.loads((shelf.root / "store.json").read_text())["schema"] == 2
    assert len(os.listdir(shelf.root / "blobs")) == 2
    three = shelf.put("c", 3)
    assert (three.path / WEIGHTS).samefile(expected[0].path / WEIGHTS)
    assert shelf.store.fsck() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": 3, "something": "new"}', "has schema 3.*upgrade skillweave"),
        ('{"schema": 1}', "no description of a store"),
        ("[]", "no description of a store"),
        ("{}", "names no schema"),
        ("[" * 100_000, "no description of a store"),
        ("{", "no description of a store"),
        ('{"schema": 2, "quotas": {"bytes": -1}}', "greater than 0"),
        ('{"schema": 2, "quotas": {"namespaces": {"No Name": 1}}}', "not a slug"),
        ('{"schema": 2, "colour": "red"}', "colour"),
    ],
)
def test_a_store_that_we_do_not_understand_is_not_opened(
    shelf: Shelf, text: str, said: str
) -> None:
    shelf.put("a", 1)
    open_before = shelf.store
    (shelf.root / "store.json").write_text(text)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=said):
            Store(shelf.root, read_only=read_only)
    with pytest.raises(StoreError, match=said):
        open_before.tag("a", "prod", 1)


MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:20 / /mnt/share\\040one rw - nfs4 server:/x rw
23 21 0:21 / /mnt/odd rw - weirdfs weird rw
24 21 0:22 / /home rw shared:2 master:3 - fuse.sshfs me@there rw
25 24 0:23 / /home/me rw - btrfs /dev/sdb rw
26 21 0:24 / /mnt/odd rw - xfs /dev/sdc rw
malformed
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/store", "ext4"),
        ("/mnt/share one/store", "nfs4"),
        ("/mnt/odd/store", "xfs"),  # mounted over the first
        ("/home/you", "fuse.sshfs"),
        ("/home/me/store", "btrfs"),
        ("/home/me2/store", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    assert file_systems.file_system_of(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "fuse", "vfat"])
def test_writing_is_refused_where_it_is_not_safe(tmp_path: Path, kind: str) -> None:
    with pytest.raises(StoreError, match=f"is on {kind}.*local disk"):
        file_systems.require_safe(tmp_path, kind=kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["ext2", "ext3", "reiserfs"])
def test_what_tells_changes_by_the_second_is_not_safe_by_its_name(
    tmp_path: Path, kind: str
) -> None:
    with pytest.warns(UserWarning, match="not on the list"):
        file_systems.require_safe(tmp_path, kind=kind)


def test_an_unknown_file_system_is_tried_out_and_warned_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="weirdfs, which is not on the list"):
        file_systems.require_safe(tmp_path, kind="weirdfs")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match=r"a trial of link, rename, flock and fsync failed"):
        file_systems.require_safe(Path("/proc"), kind="weirdfs")


def test_this_machine_s_disk_is_safe(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file_systems.require_safe(tmp_path)
