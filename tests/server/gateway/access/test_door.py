"""The door: who is recognised, who is not, and that nobody can tell the refusals apart."""

import os
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from skillweave.server.access_settings import AccessState
from skillweave.server.gateway.access.caller import ANYBODY
from skillweave.server.gateway.access.door import Door
from skillweave.server.gateway.access.key_file import KeyFile, NewKey, dump_keys
from skillweave.server.gateway.access.key_ring import KeyRing
from skillweave.server.gateway.access.keys import Budget, Wish
from skillweave.server.gateway.errors import BudgetSpent, Forbidden, ForeignPage

HERE = "127.0.0.1"


def scope(client: str = HERE, host: str = "127.0.0.1:8000", **headers: str) -> dict[str, object]:
    pairs = [(b"host", host.encode())]
    pairs += [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {"type": "http", "headers": pairs, "client": (client, 1)}


def bearer(token: str) -> dict[str, object]:
    return scope(authorization=f"Bearer {token}")


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.jsonl")


def expired(file: KeyFile, name: str) -> NewKey:
    made = file.create(Wish(name=name, days=1))
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    late = made.key.model_copy(update={"expires_at": past})
    file.path.write_bytes(dump_keys([k if k.id != late.id else late for k in file.all()]))
    return made


def test_without_keys_anybody_may_ask_and_a_first_key_ends_that(file: KeyFile) -> None:
    door = Door(AccessState(keys=file.path))
    assert door.enter(scope()) == ANYBODY
    made = file.create(Wish(name="ci"))
    door = Door(AccessState(keys=file.path))
    assert door.enter(bearer(made.token)).key_id == made.key.id
    with pytest.raises(Forbidden):
        door.enter(scope())


def test_every_refusal_of_a_key_is_the_same(file: KeyFile) -> None:
    good, gone, late = (
        file.create(Wish(name="a")),
        file.create(Wish(name="b")),
        expired(file, "c"),
    )
    file.revoke("b")
    door = Door(AccessState(keys=file.path))
    wrong = good.token[:-1] + ("A" if good.token[-1] != "A" else "B")
    requests = [
        scope(),
        bearer(""),
        bearer("sk-sw-" + "0" * 12 + "-" + "x" * 43),
        bearer(wrong),
        bearer(gone.token),
        bearer(late.token),
        bearer(good.token + "x"),
        bearer("\xe4\xf6"),
        scope(authorization=f"Basic {good.token}"),
        scope(x_skillweave_admin_key=good.token),
    ]
    twice = bearer(good.token)
    twice["headers"] = [*twice["headers"], (b"authorization", b"Bearer x")]  # type: ignore[misc]
    messages = set()
    for request in [*requests, twice]:
        with pytest.raises(Forbidden) as refusal:
            door.enter(request)
        messages.add(str(refusal.value))
    assert len(messages) == 1
    assert door.enter(bearer(good.token)).key_id == good.key.id


def test_a_ring_follows_its_file_and_fails_closed(file: KeyFile) -> None:
    ring = KeyRing(file.path)
    assert not ring.required
    made = file.create(Wish(name="ci"))
    ring.look_now()
    assert ring.required
    assert ring.find(made.token) == made.key
    new = file.rotate("ci", grace_hours=1)
    ring.look_now()
    assert ring.find(made.token) == ring.find(new.token) == new.key
    file.revoke("ci")
    ring.look_now()
    assert ring.find(new.token) is None
    file.path.write_text("garbage\n")
    ring.look_now()
    assert ring.required
    file.path.unlink()
    ring.look_now()
    assert ring.required


def test_a_file_that_could_not_be_read_once_is_read_again(file: KeyFile) -> None:
    made = file.create(Wish(name="ci"))
    free = os.open("/dev/null", os.O_RDONLY)  # the descriptors of this process run out
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ring = KeyRing(file.path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        assert ring.find(made.token) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(free)
    ring.look_now()
    assert ring.find(made.token) == made.key


def test_an_old_secret_ends_with_its_grace_and_a_key_with_its_days(file: KeyFile) -> None:
    old = file.create(Wish(name="ci", days=2))
    new = file.rotate("ci", grace_hours=1)
    now = datetime.now(UTC).timestamp()
    later = KeyRing(file.path, now=lambda: now + 2 * 3600)
    assert later.find(old.token) is None
    assert later.find(new.token) is not None
    assert KeyRing(file.path, now=lambda: now + 3 * 86400).find(new.token) is None


def test_what_a_caller_may(file: KeyFile) -> None:
    made = file.create(Wish(name="ci", team="data", globs=("data/sql-*", "base")))
    caller = Door(AccessState(keys=file.path)).enter(bearer(made.token))
    assert caller.may("data/sql-report")
    assert caller.may("base")
    assert not caller.may("auto")
    assert not caller.may("sql-report")
    assert not caller.may("data2/sql-report")
    assert caller.tenant == "team:data"
    assert ANYBODY.may("anything/at-all")


def test_a_team_s_tenant_is_never_a_key_s(file: KeyFile) -> None:
    alone = file.create(Wish(name="a"))
    teamed = file.create(Wish(name="b", team=alone.key.id))
    door = Door(AccessState(keys=file.path))
    assert door.enter(bearer(alone.token)).tenant != door.enter(bearer(teamed.token)).tenant


def test_the_admin(file: KeyFile) -> None:
    user, root = file.create(Wish(name="user")), file.create(Wish(name="root", admin=True))
    door = Door(AccessState(keys=file.path, admin_networks=("10.1.0.0/16",)), admin_key="the-key")
    assert door.enter_admin(scope(x_skillweave_admin_key="the-key")).who == "admin"
    assert door.enter_admin(bearer(root.token)).who == f"key:{root.key.id}"
    assert door.enter_admin(scope(x_skillweave_admin_key=root.token)).who == f"key:{root.key.id}"
    assert door.enter_admin(scope("10.1.2.3", x_skillweave_admin_key="the-key")).who == "admin"
    for request in (
        scope(),
        bearer("the-key"),
        bearer(user.token),
        scope(x_skillweave_admin_key=user.token),
        scope("10.2.0.1", x_skillweave_admin_key="the-key"),
        scope("testclient", x_skillweave_admin_key="the-key"),
        scope(x_skillweave_admin_key="the-key", x_forwarded_for="127.0.0.1"),
        scope(x_skillweave_admin_key="the-key", forwarded="for=10.1.2.3"),
        scope("10.2.0.1", x_skillweave_admin_key="the-key", x_forwarded_for="10.1.2.3"),
    ):
        with pytest.raises(Forbidden):
            door.enter_admin(request)
    with pytest.raises(Forbidden):
        Door(admin_key="").enter_admin(scope())
    with pytest.raises(Forbidden):
        Door(admin_key="").enter_admin(scope(x_skillweave_admin_key=""))


def test_a_proxy_on_this_machine_is_let_in_where_it_was_named() -> None:
    door = Door(AccessState(admin_networks=("127.0.0.0/8",)), admin_key="the-key")
    through = scope(x_skillweave_admin_key="the-key", x_forwarded_for="203.0.113.9")
    assert not door.enter_admin(through).here  # so that it names no path of this machine


def test_a_foreign_page_is_refused_where_no_key_protects() -> None:
    door = Door(admin_key="the-key")
    for request in (
        scope(host="evil.example:8000"),
        scope(origin="http://evil.example"),
        scope(sec_fetch_site="cross-site"),
    ):
        with pytest.raises(ForeignPage):
            door.enter(request)
        with pytest.raises(ForeignPage):
            door.enter_admin(request)
    assert Door(AccessState(allow_anybody=True)).enter(scope(host="models.internal")) == ANYBODY
    named = Door(AccessState(server_names=("models.internal",)))
    assert named.enter(scope(host="Models.Internal:8000")) == ANYBODY


def test_a_budget_that_is_used_up_stops_the_next_request(file: KeyFile) -> None:
    made = file.create(Wish(name="ci", budget=Budget(day_tokens=10, total_tokens=15)))
    door = Door(AccessState(keys=file.path))
    caller = door.enter(bearer(made.token))
    door.check(caller, {"model": "base", "prompt": "x"})
    door.charge(caller, "base", prompt=4, completion=5)
    door.check(caller, {"model": "base", "prompt": "x"})
    door.charge(caller, "base", prompt=4, completion=0)
    with pytest.raises(BudgetSpent, match="13 of its 10 tokens today"):
        door.check(caller, {"model": "base", "prompt": "x"})
    door.charge(caller, "base", prompt=4, completion=0)
    with pytest.raises(BudgetSpent, match="17 of its 15 tokens in all"):
        door.check(caller, {"model": "base", "prompt": "x"})
