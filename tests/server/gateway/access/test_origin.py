"""Which requests may come from somebody else's page in a browser of this machine."""

import pytest
from skillweave.server.gateway.access.origin import foreign_page


def judged(*headers: tuple[str, str], names: tuple[str, ...] = ()) -> str | None:
    return foreign_page([(k.encode(), v.encode()) for k, v in headers], names=names)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "127.0.0.1",
        "localhost",
        "LocalHost:8000",
        "localhost.:8000",
        "[::1]:8000",
        "[::1]",
        "10.0.0.7:80",
    ],
)
def test_an_address_or_localhost_is_ours(host: str) -> None:
    assert judged(("host", host)) is None
    assert judged(("host", host), ("origin", f"http://{host}")) is None
    assert judged(("host", host), ("sec-fetch-site", "same-origin")) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "127.0.0.1@evil.example",
        "evil.example#localhost",
        "[evil.example]:8000",
    ],
)
def test_a_name_bound_to_our_address_is_not(host: str) -> None:
    assert judged(("host", host)) is not None


def test_a_name_that_we_were_told_is_ours() -> None:
    assert judged(("host", "models.internal:8000"), names=("models.internal",)) is None


@pytest.mark.parametrize(
    "header",
    [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:9000"),
        ("origin", "http://127.0.0.1:8000.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ],
)
def test_a_browser_says_that_it_began_elsewhere(header: tuple[str, str]) -> None:
    assert judged(("host", "127.0.0.1:8000"), header) is not None


def test_one_host_header_is_wanted() -> None:
    assert judged() is not None
    assert judged(("host", "127.0.0.1"), ("host", "evil.example")) is not None
