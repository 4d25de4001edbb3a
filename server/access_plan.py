"""From a configuration to what the gateway's door is told, judged before anything starts.

Owns the rule that a server which others can reach has keys. Refuses to own the values
(`access_settings.py`).
"""

from ..adapters.errors import UsageError
from ..adapters.settings import default_store_root
from .access_settings import (
    AUDIT_FILE,
    KEYS_FILE,
    USAGE_FILE,
    AccessState,
    access_folder,
    is_loopback,
)
from .config import ServeConfig


def access_of(config: ServeConfig) -> AccessState:
    """Where keys, usage and audit lie, and who is let in.

    Raises:
        UsageError: others could reach the server, and no key would be asked for; or the file of
            keys that was named does not exist.
    """
    folder = access_folder(config.store or default_store_root()).absolute()
    if config.keys is not None and not config.keys.is_file():
        raise UsageError(
            f"keys {config.keys} does not exist; make a first key: skillweave keys create NAME "
            f"--keys {config.keys}"
        )
    keys = config.keys.absolute() if config.keys is not None else folder / KEYS_FILE
    required = keys.is_file()
    if not required and not config.allow_anybody and not is_loopback(config.host):
        raise UsageError(
            f"host {config.host} can be reached by others and there are no keys, so that anybody "
            "could ask; make one with `skillweave keys create NAME`, listen on 127.0.0.1, or say "
            "--allow-anybody if something else guards this address"
        )
    return AccessState(
        keys=keys,
        keys_required=required,
        allow_anybody=config.allow_anybody,
        usage=folder / USAGE_FILE,
        audit=folder / AUDIT_FILE,
        admin_networks=config.admin_networks,
        server_names=tuple(name.lower() for name in config.server_names),
        limits=config.limits,
    )
