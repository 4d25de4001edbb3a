"""The command `skillweave`: a table of verbs, and what every verb has in common.

Owns the table, exit codes and how errors look. A verb's options and work live in its own module,
which is imported only when the verb is used, so that `skillweave --help` stays quick.

Exit codes: 0 done, 1 failed or found something, 2 used wrongly, 130 interrupted.

To add a verb: write a function in `scripts/commands/` whose typed parameters are its options and
which returns its exit code (or None for 0), and add one line to `VERBS`. A verb with verbs of its
own (`keys create`) is a `typer.Typer` in place of the function.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated, NamedTuple

import typer

from ..adapters.errors import InvalidName, ModelStringError, SkillweaveError, UsageError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

USAGE_ERRORS = (UsageError, ModelStringError, InvalidName)
"""Errors that say that what was asked for makes no sense, whatever the state of the world."""


class Verb(NamedTuple):
    """Where a verb lives, as `module:function` below `scripts/`, and its one line of help."""

    target: str
    help: str


VERBS = {
    "check": Verb("commands.check:check", "Validate SKILL.md folders; say what weights can carry."),
    "demo": Verb("commands.demo:demo", "The main job end to end, with a report."),
    "train": Verb("commands.train:train_skills", "Turn skill texts into adapters in the store."),
    "bank": Verb("commands.bank:bank", "Skill texts under version: add, list, show, log, fork."),
    "recipe": Verb("commands.recipe:recipe", "Run a paper's recipe and print its verdict."),
    "route": Verb("commands.route:route", "Show which skill a request would go to."),
    "serve": Verb("commands.serve:serve", "Serve base, adapters and skill texts on one address."),
    "status": Verb("commands.status:status", "Show how a running server is."),
    "publish": Verb("commands.publish:publish", "Put an adapter on a running server."),
    "upload": Verb("commands.publish:upload", "Send an adapter or a bundle to a running server."),
    "promote": Verb("commands.publish:promote", "Load a version everywhere and make it default."),
    "alias": Verb("commands.publish:alias", "Move or split an alias on a running server."),
    "keys": Verb("commands.keys:keys", "Who may ask a server: create, list, rotate, revoke."),
    "usage": Verb("commands.usage:usage", "Show tokens used by team, adapter, key or day."),
    "audit": Verb("commands.audit:audit", "Show and verify what was changed, and by whom."),
    "add": Verb("commands.store:add", "Take a PEFT folder into the store, through the gate."),
    "list": Verb("commands.store:list_adapters", "List the adapters of the store."),
    "search": Verb("commands.store:search", "Find adapters by words."),
    "show": Verb("commands.show:show", "Show one version: what it is, its parents, its evidence."),
    "lineage": Verb("commands.show:lineage", "Show what a version was made from, and into."),
    "similar": Verb("commands.show:similar", "Show how alike the adapters of one base are."),
    "path": Verb("commands.store:path", "Print the folder of one version."),
    "tag": Verb("commands.store:tag", "Point an alias at a version."),
    "rollback": Verb("commands.publish:rollback", "Point an alias back to where it was."),
    "rm": Verb("commands.store:remove", "Remove one version from the store."),
    "verify": Verb("commands.verify:verify", "Hold an adapter against the gate."),
    "gc": Verb("commands.store:gc", "Free what nothing refers to."),
    "fsck": Verb("commands.store:fsck", "Check every file of the store."),
    "push": Verb("commands.transfer:push", "Publish a version on a hub; private by default."),
    "pull": Verb("commands.transfer:pull", "Fetch an adapter from a hub, through the gate."),
    "hub": Verb("commands.hub:hub", "Run a hub of your own: serve, token."),
    "compose": Verb("commands.compose:compose", "Make one adapter out of several."),
    "export": Verb("commands.export:export", "Write a version as a merged model or a bundle."),
    "import": Verb("commands.import_bundle:import_bundle", "Take the versions of a bundle in."),
    "bench": Verb("commands.bench:bench", "Measure ours against theirs, with a check beside it."),
    "env": Verb("commands.env:env", "Show what is installed and which engine it can start."),
}

NAME = "skillweave"
CONTEXT = {"help_option_names": ["-h", "--help"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's own) and return its exit code."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    if asked and asked[0] in VERBS:
        return run(functools.partial(load, asked[0]), asked[1:], f"{NAME} {asked[0]}")
    return run(overview, asked, NAME)


def run(make_app: Callable[[], typer.Typer], arguments: Sequence[str], name: str) -> int:
    """Build an application and run it, with the errors and exit codes that all verbs share.

    Args:
        make_app: called inside, so that a failing import is reported like any failure.
        name: how usage errors call the command.
    Returns:
        The exit code of the module docstring. An error that we did not raise on purpose is a bug
        and keeps its traceback.
    """
    try:
        typer.main.get_command(make_app())(args=list(arguments), prog_name=name)
        return 0
    except SystemExit as end:  # how Typer always ends
        code = end.code if isinstance(end.code, int) else EXIT_FAILED
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except SkillweaveError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, USAGE_ERRORS) else EXIT_FAILED
    if code == EXIT_INTERRUPTED:
        print(f"{name}: interrupted", file=sys.stderr)
    return code


def load(verb: str) -> typer.Typer:
    """Import the module of a verb and make it an application."""
    module, name = VERBS[verb].target.split(":")
    return as_app(getattr(importlib.import_module(f".{module}", __package__), name))


def as_app(verb: Callable[..., int | None] | typer.Typer) -> typer.Typer:
    """One verb's function, or its group of verbs, as an application that ends in their result."""
    if isinstance(verb, typer.Typer):
        for command in verb.registered_commands:
            if command.callback is not None:
                command.callback = _exits_with_its_result(command.callback)
        return verb
    app = typer.Typer(add_completion=False)
    app.command(context_settings=CONTEXT)(_exits_with_its_result(verb))
    return app


def _exits_with_its_result(function: Callable[..., int | None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapped(*args: object, **kwargs: object) -> None:
        raise typer.Exit(function(*args, **kwargs) or 0)

    return wrapped


def overview() -> typer.Typer:
    """The application behind `skillweave --help`: every verb by name, none of them imported."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        help="Train, prove, store, route and serve agent skills as LoRA adapters.",
        context_settings=CONTEXT,
    )

    def version(asked: bool) -> None:
        if asked:
            print(f"{NAME} {metadata.version(NAME)}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", callback=version, is_eager=True, help="Show and exit.")
        ] = False,
    ) -> None:
        """Options that stand before a verb."""

    for name, verb in VERBS.items():
        app.command(name, help=verb.help)(lambda: None)
    return app


if __name__ == "__main__":
    sys.exit(main())
