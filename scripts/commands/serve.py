"""`skillweave serve`: base, adapters and skill texts on one OpenAI-compatible address.

Owns the options and how they, a TOML file and flags for vLLM become one `ServeConfig`. The work is
in `server/`. An option that is not in the list below goes to vLLM as it is written.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from ...adapters.errors import UsageError
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ...server.main import run_serve
from ...server.settings import admin_key_from_environment

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
    engine_key: Annotated[str | None, typer.Option(help="Bearer key of that engine.")] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="TOML file with fields of ServeConfig.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="Root of the adapter store.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one [8000].")] = None,
    max_loras: Annotated[int | None, typer.Option(help="Adapters in one batch.")] = None,
    max_lora_rank: Annotated[int | None, typer.Option(help="Largest rank to serve.")] = None,
    max_model_len: Annotated[int | None, typer.Option(help="Longest prompt and answer.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads of the engine.")] = None,
    log_dir: Annotated[Path | None, typer.Option(help="Where logs stay.")] = None,
) -> int:
    """Serve base, adapters and skill texts on one address; other options go to vLLM unchanged.

    The admin key is taken from SKILLWEAVE_ADMIN_KEY, or made and printed.
    """
    options: dict[str, object] = {
        "base": base,
        "skills": skills,
        "router": router,
        "engine_url": engine_url,
        "engine_key": engine_key,
        "store": store,
        "host": host,
        "port": port,
        "lora_slots": max_loras,
        "max_lora_rank": max_lora_rank,
        "max_model_len": max_model_len,
        "threads": threads,
        "log_dir": log_dir,
        "engine_args": tuple(ctx.args) or None,
    }
    return run_serve(build_config(config_file, options))


def build_config(file: Path | None, options: dict[str, object]) -> ServeConfig:
    """One configuration: what the file says, over it what the command line says (not None).

    Raises:
        UsageError: the file cannot be read, or the sum makes no sense.
    """
    fields = {"admin_key": admin_key_from_environment(), **_read(file)}
    fields.update({name: value for name, value in options.items() if value is not None})
    if fields.get("base") is None and fields.get("engine_url") is None:
        fields["base"] = str(tiny_base_path())
    try:
        return ServeConfig.model_validate(fields)
    except ValidationError as err:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'serve'}: {e['msg']}" for e in err.errors()]
        raise UsageError("; ".join(lines)) from err


def _read(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as err:
        raise UsageError(f"--config {file}: {err}; expected a TOML file") from err
