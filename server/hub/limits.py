"""The bounds of one hub, in one place, each with its reason. Pure numbers."""

from dataclasses import dataclass

from ...adapters.limits import GiB, MiB


@dataclass(frozen=True)
class HubLimits:
    """Upper bounds on what clients may send and what is kept."""

    file_bytes: int = 8 * GiB
    """One file; what the adapter gate allows for weights."""
    regular_bytes: int = 128 * MiB
    """Up to here a file may travel inside the commit. Every client can do that without any setting;
    its memory use is some five times the size, so larger files must be uploaded by themselves."""
    line_bytes: int = 64 * 1024
    """One line of a commit without the content of its file."""
    commit_bytes: int = 2 * GiB
    """The body of a commit."""
    commit_operations: int = 2_000
    """Lines of a commit."""
    tree_files: int = 5_000
    """Files of one revision."""
    root_bytes: int = 200 * GiB
    """All contents of all repositories together."""
    json_bytes: int = 4 * MiB
    """The body of any other request."""
    page: int = 1_000
    """Entries in one page of a listing."""
    upload_url_s: int = 24 * 3600
    """For how long the address of an upload is valid."""


DEFAULT_LIMITS = HubLimits()
