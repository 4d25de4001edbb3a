"""`skillweave publish`, `upload`, `promote`, `alias`, `rollback`: clients of a running server.

`publish` loads a stored version into every engine; `upload` sends an adapter or a bundle there, as
a new version or as a step of a training run; `promote` makes what is served the one that counts;
`alias` moves or splits an alias; `rollback` takes it back. All of them return when the server
serves it. Owns options and messages; the work is in `server/gateway/`.
"""

from pathlib import Path
from typing import Annotated, cast

import typer

from ...adapters.card import CARD_FILE
from ...adapters.errors import UsageError
from ...adapters.expr import parse_ref
from ...adapters.names import DEFAULT_ALIAS
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ...server.admin_client import AdminClient
from ...server.settings import admin_key_from_environment, server_url_from_environment
from . import store as store_verbs
from .json_out import print_json
from .options import Family, Json, StoreDir
from .shares import parse_assignment

Ref = Annotated[str, typer.Argument(help="A stored version, such as sql-report@3.")]
Url = Annotated[
    str | None, typer.Option(help="The server; default: SKILLWEAVE_URL, else port 8000 here.")
]
Key = Annotated[
    str | None, typer.Option(help="The admin key that `serve` printed; or SKILLWEAVE_ADMIN_KEY.")
]
LOCAL = "http://127.0.0.1:8000"
Answer = dict[str, object]


def publish(ref: Ref, url: Url = None, admin_key: Key = None, json: Json = False) -> int:
    """Load a stored version into every engine of a running server; no alias is moved."""
    parse_ref(ref)
    return _say(_client(url, admin_key).post("publish", {"ref": ref}), json=json)


def upload(
    path: Annotated[Path, typer.Argument(help="A PEFT folder, or a bundle.")],
    name: Annotated[
        str | None, typer.Option(help="[namespace/]name in the server's store.")
    ] = None,
    alias: Annotated[
        str | None, typer.Option(help="Move this alias to it once it is loaded.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Serve it as a step of this run, without storing it.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Which step of the run.")] = None,
    staleness: Annotated[
        int, typer.Option(min=0, help="So many steps behind the newest stay in use.")
    ] = 1,
    url: Url = None,
    admin_key: Key = None,
    json: Json = False,
) -> int:
    """Send an adapter to a running server: into its store, or into memory as a step of a run."""
    client = _client(url, admin_key)
    if path.is_file():
        if (name, alias, run, step) != (None, None, None, None):
            raise UsageError(
                f"{path} is a bundle, which says itself what is in it: leave out the "
                "other options, and move aliases with `skillweave alias`"
            )
        return _say(client.send_file("upload", path), json=json)
    if not path.is_dir():
        raise UsageError(f"{path} is neither a folder nor a bundle")
    files = {each: path / each for each in (CONFIG_FILE, WEIGHTS_FILE)}
    if (path / CARD_FILE).is_file():
        files[CARD_FILE] = path / CARD_FILE
    missing = [each for each, file in files.items() if not file.is_file()]
    if missing:
        raise UsageError(f"{path} has no {missing[0]}: expected a PEFT folder")
    verb, fields = _how(name, alias, run, step, staleness)
    return _say(client.send_files(verb, files, fields), json=json)


def promote(
    ref: Annotated[str, typer.Argument(help="A stored version, or a step such as my-run@7.")],
    name: Annotated[
        str | None, typer.Argument(help="For a step: its name in the store from now on.")
    ] = None,
    alias: Annotated[str, typer.Option(help="The alias to move.")] = DEFAULT_ALIAS,
    url: Url = None,
    admin_key: Key = None,
    json: Json = False,
) -> int:
    """Point an alias at a version that every engine has; a step of a run is stored for it."""
    parse_ref(ref)
    client = _client(url, admin_key)
    if name is None:
        return _say(client.post("publish", {"ref": ref, "alias": alias}), json=json)
    return _say(client.post("promote", {"ref": ref, "name": name, "alias": alias}), json=json)


def alias(
    name: Annotated[str, typer.Argument(help="A stored adapter, such as sql-report.")],
    assignment: Annotated[
        str, typer.Argument(metavar="ALIAS=V[:PARTS],...", help="prod=3, or prod=3:90,4:10.")
    ],
    url: Url = None,
    admin_key: Key = None,
    json: Json = False,
) -> int:
    """Point an alias of a running server at a version, or split it between several, once all of
    them are loaded everywhere."""
    which, shares = parse_assignment(assignment)
    client = _client(url, admin_key)
    if len(shares) == 1:
        body: Answer = {"name": name, "alias": which, "version": next(iter(shares))}
        return _say(client.post("alias", body), json=json)
    weights = {str(number): parts for number, parts in shares.items()}
    answer = client.post("split", {"name": name, "alias": which, "weights": weights})
    return _say(answer, json=json)


def rollback(
    name: Annotated[str, typer.Argument(help="[namespace/]name.")],
    alias: Annotated[str, typer.Option(help="The alias to take back.")] = DEFAULT_ALIAS,
    base: Family = None,
    store: StoreDir = None,
    url: Annotated[
        str | None, typer.Option(help="Do it on this running server, which loads it first.")
    ] = None,
    admin_key: Key = None,
    json: Json = False,
) -> int:
    """Point an alias back to where it pointed before: in the store, or on a running server."""
    if url is None:
        return store_verbs.rollback(name, alias=alias, base=base, store=store, json=json)
    answer = _client(url, admin_key).post("rollback", {"name": name, "alias": alias})
    return _say(answer, json=json)


def _how(
    name: str | None, alias: str | None, run: str | None, step: int | None, staleness: int
) -> tuple[str, dict[str, str]]:
    """Where an adapter goes: the verb of the server, and its fields."""
    if run is not None or step is not None:
        if run is None or step is None or name is not None or alias is not None:
            raise UsageError("a step needs --run and --step, and neither --name nor --alias")
        return "publish", {"run": run, "step": str(step), "staleness": str(staleness)}
    if name is None:
        raise UsageError("say what it is called with --name, or which step it is: --run and --step")
    return "upload", {"name": name} | ({"alias": alias} if alias is not None else {})


def _client(url: str | None, key: str | None) -> AdminClient:
    admin_key = key or admin_key_from_environment()
    if admin_key is None:
        raise UsageError(
            "no admin key: pass --admin-key or set SKILLWEAVE_ADMIN_KEY to the key that "
            "`skillweave serve` printed"
        )
    return AdminClient(url or server_url_from_environment() or LOCAL, admin_key)


def _say(answer: Answer, *, json: bool) -> int:
    if json:
        print_json(answer)
    elif "versions" in answer:
        for each in cast("list[Answer]", answer["versions"]):
            print(f"{each['ref']} is stored{_moved(each)}")
    elif "weights" in answer:
        parts = cast("dict[str, int]", answer["weights"])
        shares = ", ".join(f"{number}: {weight}" for number, weight in parts.items())
        print(f"{answer['name']}@{answer['alias']} is split between versions {shares}")
    else:
        print(f"{answer['ref']} is served{_moved(answer)}")
    return 0


def _moved(answer: Answer) -> str:
    return f", alias {answer['alias']!r} points at it" if answer.get("alias") else ""
