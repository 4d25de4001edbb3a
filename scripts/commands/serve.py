"""`skillweave serve`: base, adapters and skill texts on one OpenAI-compatible address.

Owns the options and how they, a TOML file and flags for vLLM become one `ServeConfig`. The work is
in `server/`. An option that is not in the list below goes to vLLM as it is written.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ...distill.tiny_base import tiny_base_path
from ...server.checking import check_config
from ...server.config import ServeConfig
from ...server.config_file import make_config, read_toml, readable_secrets, to_toml
from ...server.main import run_serve
from ...server.settings import (
    admin_key_from_environment,
    engine_key_from_environment,
    metrics_key_from_environment,
)

serve = typer.Typer(add_completion=False)


@serve.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["-h", "--help"],
    }
)
def serve_until_stopped(
    ctx: typer.Context,
    base: Annotated[
        str | None, typer.Option(help="Folder of the base model; default: the shipped tiny base.")
    ] = None,
    skills: Annotated[
        Path | None, typer.Option(help="Folder of SKILL.md folders, served as text.")
    ] = None,
    router: Annotated[
        Path | None, typer.Option(help="Saved router that answers to the model 'auto'.")
    ] = None,
    engine_url: Annotated[
        str | None, typer.Option("--engine", help="Front an engine that runs at this URL.")
    ] = None,
    engine_key: Annotated[
        str | None,
        typer.Option(help="Bearer key of that engine; better in SKILLWEAVE_ENGINE_KEY."),
    ] = None,
    num_engines: Annotated[int | None, typer.Option(help="Replicas of the engine [1].")] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="TOML file with fields of ServeConfig.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="Root of the adapter store.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one [8000].")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="File of the keys [access/keys.jsonl in the store].")
    ] = None,
    allow_anybody: Annotated[
        bool, typer.Option("--allow-anybody", help="Listen beyond this machine without keys.")
    ] = False,
    max_loras: Annotated[int | None, typer.Option(help="Adapters in one batch.")] = None,
    max_lora_rank: Annotated[int | None, typer.Option(help="Largest rank to serve.")] = None,
    max_model_len: Annotated[int | None, typer.Option(help="Longest prompt and answer.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads of the engine.")] = None,
    log_dir: Annotated[Path | None, typer.Option(help="Where logs stay.")] = None,
    log_level: Annotated[
        str | None, typer.Option(help="Of the gateway: debug, info, warning, error [warning].")
    ] = None,
    access_log: Annotated[
        str | None, typer.Option(help="json or off [json]: a line for each request.")
    ] = None,
    access_log_file: Annotated[
        Path | None, typer.Option(help="Its file, - for here [access.log in --log-dir].")
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print what would be served, as TOML; exit.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check base, store, keys and engine; exit.")
    ] = False,
) -> int:
    """Serve base, adapters and skill texts on one address; other options go to vLLM unchanged.

    The admin key is taken from SKILLWEAVE_ADMIN_KEY, or made and printed. Everything that a server
    can be told stands in --print-config; what has no option goes into the file.
    """
    options: dict[str, object] = {
        "base": base,
        "skills": skills,
        "router": router,
        "engine_url": engine_url,
        "engine_key": engine_key,
        "num_engines": num_engines,
        "store": store,
        "host": host,
        "port": port,
        "keys": keys,
        "allow_anybody": allow_anybody or None,
        "lora_slots": max_loras,
        "max_lora_rank": max_lora_rank,
        "max_model_len": max_model_len,
        "threads": threads,
        "log_dir": log_dir,
        "log_level": log_level,
        "access_log": access_log,
        "access_log_file": access_log_file,
        "engine_args": tuple(ctx.args) or None,
    }
    config = build_config(config_file, options)
    if print_config:
        print(to_toml(config), end="")
    if check:
        lines = check_config(config)
        print("\n".join(lines), file=sys.stderr if print_config else sys.stdout)
    return 0 if print_config or check else run_serve(config)


def build_config(file: Path | None, options: dict[str, object]) -> ServeConfig:
    """One configuration: keys of the environment, then the file, then the command line (not None).

    Raises:
        UsageError: the file cannot be read, or the sum makes no sense.
    """
    said = {} if file is None else read_toml(file)
    fields = {
        "admin_key": admin_key_from_environment(),
        "metrics_key": metrics_key_from_environment(),
        **said,
        **{name: value for name, value in options.items() if value is not None},
    }
    if fields.get("base") is None and fields.get("engine_url") is None:
        fields["base"] = str(tiny_base_path())
    if fields.get("engine_url") is not None:
        fields.setdefault("engine_key", engine_key_from_environment())
    warning = None if file is None else readable_secrets(file, said)
    if warning is not None:
        print(warning, file=sys.stderr)
    return make_config(fields, file=file, from_file=said)
