"""The file of the keys: what is kept, who may read it, and many writers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, NotFound, StoreError, UsageError
from skillweave.server.gateway.access.key_file import KeyFile
from skillweave.server.gateway.access.keys import STYLE, Budget, Wish


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "access" / "keys.jsonl")


def test_a_token_is_nowhere_in_the_file_and_only_its_owner_may_read_it(file: KeyFile) -> None:
    made = file.create(Wish(name="ci", team="data", globs=("data/sql-*", "base"), days=1))
    read = STYLE.read(made.token)
    assert read is not None
    assert read[0] == made.key.id
    assert read[1].encode() not in file.path.read_bytes()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert file.all() == [made.key]


def test_one_valid_key_has_a_name_and_a_revoked_one_frees_it(file: KeyFile) -> None:
    first = file.create(Wish(name="ci"))
    with pytest.raises(Conflict, match="rotate or revoke"):
        file.create(Wish(name="ci"))
    assert file.revoke("ci").id == first.key.id
    second = file.create(Wish(name="ci"))
    assert file.find("ci").id == second.key.id
    assert file.find(first.key.id).revoked_at is not None
    with pytest.raises(NotFound, match="no valid key"):
        file.revoke(first.key.id)


def test_rotation_keeps_the_id_and_the_old_secret_only_for_the_grace(file: KeyFile) -> None:
    old = file.create(Wish(name="ci", budget=Budget(day_tokens=5)))
    new = file.rotate("ci", grace_hours=2)
    assert new.key.id == old.key.id
    assert new.key.budget == old.key.budget
    assert new.token != old.token
    assert [secret.ends_at is None for secret in new.key.secrets] == [False, True]
    assert len(file.rotate("ci").key.secrets) == 1


def test_an_admin_key_reaches_no_model_unless_told(file: KeyFile) -> None:
    assert file.create(Wish(name="root", admin=True)).key.globs == ()
    assert file.create(Wish(name="both", admin=True, globs=("base",))).key.globs == ("base",)
    assert file.create(Wish(name="user")).key.globs == ("*",)


@pytest.mark.parametrize(
    "wish",
    [
        Wish(name="Not A Slug"),
        Wish(name="a", team="../x"),
        Wish(name="a", globs=("[a-z]*",)),
        Wish(name="a", globs=("a/b/c",)),
        Wish(name="a", globs=()),
        Wish(name="a", days=0),
    ],
)
def test_what_cannot_be_a_key_is_refused(file: KeyFile, wish: Wish) -> None:
    with pytest.raises(UsageError):
        file.create(wish)
    assert file.all() == []


def test_many_writers_lose_no_key(file: KeyFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: file.create(Wish(name=f"key-{n}")), range(24)))
    assert {key.id for key in file.all()} == {each.key.id for each in made}


def test_a_damaged_file_is_named_without_its_content(file: KeyFile) -> None:
    token = file.create(Wish(name="ci")).token
    file.path.write_text(f"{token}\n")
    with pytest.raises(StoreError, match="line 1 is no key") as refusal:
        file.all()
    assert token[-20:] not in str(refusal.value)
