"""Who sees what, who changes what, and that the difference between hidden and missing is none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from skillweave.adapters.errors import Conflict, NotFound, StoreError, UsageError
from skillweave.server.hub.errors import Refusal
from skillweave.server.hub.hub import HubOptions
from skillweave.server.hub.serve import greeting
from skillweave.server.hub.tokens import Token, Tokens, signing_key

from .running_hub import HubHost, RunningHub

ROUTES = (
    ("GET", "/api/models/{}"),
    ("GET", "/api/models/{}/tree/main"),
    ("GET", "/api/models/{}/refs"),
    ("GET", "/api/models/{}/commits/main"),
    ("GET", "/api/models/{}/auth-check"),
    ("GET", "/{}/resolve/main/a.txt"),
    ("HEAD", "/{}/resolve/main/a.txt"),
    ("POST", "/api/models/{}/paths-info/main"),
    ("POST", "/api/models/{}/commit/main"),
    ("PUT", "/api/models/{}/settings"),
    ("POST", "/api/models/{}/tag/main"),
    ("DELETE", "/api/models/{}/branch/x"),
    ("POST", "/api/models/{}/preupload/main"),
    ("POST", "/{}.git/info/lfs/objects/batch"),
    ("PUT", "/api/models/{}/content/" + "0" * 64),
    ("DELETE", "/api/repos/delete"),
    ("POST", "/api/repos/move"),
)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def test_a_hidden_repository_answers_like_a_missing_one(api: HfApi, site: RunningHub) -> None:
    api.create_repo("ada/secret")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id="ada/secret")
    bob = site.token("bob")
    rows = [(*route, *who) for route in ROUTES for who in ((None, 401), (bob, 404))]
    with httpx.Client() as client:
        for method, route, token, status in rows:
            hidden, missing = (
                client.request(
                    method,
                    site.url + route.format(name),
                    headers=bearer(token),
                    json={
                        "name": name.partition("/")[2],
                        "organization": "ada",
                        "fromRepo": name,
                        "toRepo": "bob/x",
                    },
                )
                for name in ("ada/secret", "ada/absent")
            )
            upload = "/content/" in route  # its address is signed; without that it is always 403
            expected = (403, None) if upload else (status, "RepoNotFound")
            assert hidden.status_code == missing.status_code == expected[0], route
            assert hidden.headers.get("x-error-code") == expected[1]
            assert hidden.content == missing.content
            assert {k: v for k, v in hidden.headers.items() if k != "date"} == {
                k: v for k, v in missing.headers.items() if k != "date"
            }


def test_who_may_read_and_write(site: RunningHub) -> None:
    ada = HfApi(endpoint=site.url, token=site.token("ada"))
    reader = HfApi(endpoint=site.url, token=site.token("reader", write=False, namespaces="ada"))
    ada.create_repo("ada/one")
    assert reader.model_info("ada/one").private
    assert [m.id for m in reader.list_models()] == ["ada/one"]
    reader.auth_check("ada/one")
    for act in (
        lambda: reader.auth_check("ada/one", write=True),
        lambda: reader.upload_file(path_or_fileobj=b"", path_in_repo="a", repo_id="ada/one"),
        lambda: reader.create_tag("ada/one", tag="v1"),
        lambda: reader.delete_repo("ada/one"),
        lambda: reader.create_repo("ada/two"),
    ):
        with pytest.raises(HfHubHTTPError, match="token 'reader' may only read"):
            act()
    with pytest.raises(HfHubHTTPError, match="may write to ada, not to 'bob'"):
        ada.create_repo("bob/one")
    with pytest.raises(HfHubHTTPError, match="not to 'bob'"):
        ada.move_repo("ada/one", "bob/one")


def test_anonymous_readers_only_where_they_are_allowed(tmp_path: Path, host: HubHost) -> None:
    for allowed in (False, True):
        with host.serve(tmp_path / f"hub-{allowed}", HubOptions(public_read=allowed)) as site:
            ada = HfApi(endpoint=site.url, token=site.token("ada"))
            ada.create_repo("ada/open", private=False)
            ada.create_repo("ada/closed")
            nobody = HfApi(endpoint=site.url, token=False)
            assert [m.id for m in nobody.list_models()] == (["ada/open"] if allowed else [])
            assert nobody.repo_exists("ada/open") is allowed
            assert not nobody.repo_exists("ada/closed")
            with pytest.raises(RepositoryNotFoundError):
                nobody.create_tag("ada/open", tag="v1")


def test_tokens_that_are_none_and_are_no_more(site: RunningHub) -> None:
    text = site.token("ada")
    url = f"{site.url}/api/whoami-v2"
    head, middle, secret = text.split("_", 2)
    other = ("A" if secret[0] != "A" else "B") + secret[1:]
    wrong = ("hf_abc", f"{head}_{middle}_{other}", f"{head}_{'0' * 12}_{secret}", f"{text}A")
    with httpx.Client() as client:
        assert client.get(url, headers=bearer(text)).json()["name"] == "ada"
        for value in [*(f"Bearer {token}" for token in wrong), f"Basic {text}", text]:
            reply = client.get(url, headers={"authorization": value})
            assert reply.status_code == 401, value
            assert reply.json() == {"error": "Invalid credentials in Authorization header"}
        assert client.get(url).status_code == 401
        site.hub.tokens.revoke("ada")
        assert client.get(url, headers=bearer(text)).status_code == 401
    with pytest.raises(NotFound, match="no valid token 'ada'"):
        site.hub.tokens.revoke("ada")


def test_revoking_ends_the_token_that_is_valid(tmp_path_factory: pytest.TempPathFactory) -> None:
    tokens = Tokens(tmp_path_factory.mktemp("root"))
    late = tokens.create("ada", days=1e-9).token  # over before it is looked at
    now = tokens.create("ada")
    assert tokens.revoke("ada").id == now.token.id
    with pytest.raises(Refusal):
        tokens.find(now.text)
    with pytest.raises(NotFound):
        tokens.revoke(late.id)


def test_of_several_valid_tokens_none_is_guessed(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("root")
    tokens = Tokens(root)
    first = tokens.create("ada").token
    twin = first.model_copy(update={"id": "a" * 12})  # as from a backup that was copied back
    (root / "tokens" / f"{twin.id}.json").write_text(twin.model_dump_json())
    with pytest.raises(Conflict, match=f"2 valid tokens are named 'ada'.*{first.id}"):
        tokens.revoke("ada")
    assert tokens.revoke(twin.id).id == twin.id
    assert tokens.revoke("ada").id == first.id


def test_the_signing_key_is_whole_or_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("root")
    with ThreadPoolExecutor(8) as pool:  # all start at once: one key, never half of one
        keys = set(pool.map(lambda _: signing_key(root), range(8)))
    path = root / "signing-key"
    assert keys == {path.read_bytes()}
    assert len(path.read_bytes()) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in root.iterdir()] == ["signing-key"]
    for damaged in (b"", b"x" * 31, b"x" * 33):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=f"{len(damaged)} bytes, expected 32: delete it"):
            signing_key(root)


def test_only_a_hash_of_a_token_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("root")
    tokens = Tokens(root)
    made = tokens.create("ada", write=True, days=1)
    secret = made.text.split("_", 2)[2]
    kept = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert tokens.find(made.text) == made.token
    with pytest.raises(Conflict, match="'ada' has a valid token"):
        tokens.create("ada")
    for bad in ("", "a/b", "..", "api", "a" * 65):
        with pytest.raises(UsageError):
            tokens.create(bad)
    with pytest.raises(UsageError, match="days 0"):
        tokens.create("bob", days=0)
    with pytest.raises(UsageError, match="expected a pattern"):
        tokens.create("bob", namespaces=["a/b"])


def test_a_token_ends_at_its_hour() -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    token = Token(
        id="0" * 12,
        name="ada",
        sha256="",
        write=False,
        namespaces=("team-*",),
        created_at="",
        expires_at=end.isoformat(),
    )
    assert token.valid(end - timedelta(seconds=1))
    assert not token.valid(end)
    assert token.covers("team-x")
    assert not token.covers("teams")


def test_what_is_unsafe_is_said_at_the_start(site: RunningHub) -> None:
    def warnings(host: str, url: str) -> list[str]:
        lines = greeting(site.hub, url=url, host=host)
        return [line for line in lines if line.startswith("warning")]

    assert len(warnings("127.0.0.1", site.url)) == 1
    assert "there is no token" in warnings("127.0.0.1", site.url)[0]
    site.token("ada")
    assert warnings("127.0.0.1", site.url) == []
    assert "unencrypted" in warnings("0.0.0.0", "http://10.0.0.1:80")[0]
    assert warnings("0.0.0.0", "https://hub.example") == []
