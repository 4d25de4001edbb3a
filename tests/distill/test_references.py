"""Which files a body points to."""

import pytest
from skillweave.distill.references import file_references


@pytest.mark.parametrize(
    ("text", "resources", "expected"),
    [
        ("See [forms](forms.md#top) and [site](https://x.y/z.md).", (), ("forms.md",)),
        ("[a](#part) [m](mailto:a@b.c) [e]( <my.md> )", (), ("my.md",)),
        ("Run `python scripts/run.py x`.", (), ("scripts/run.py",)),
        ("Read ./references/api.md, then references/api.md.", (), ("references/api.md",)),
        ("Edit src/app.py and /etc/x/y and https://h/scripts/a.py", (), ()),
        ("Look into themes2/dark.css", ("themes2/light.css",), ("themes2/dark.css",)),
        ("Write `setup.cfg`; read `forms.md`.", ("forms.md",), ("forms.md",)),
        ("[up](../other/x.md) [root](/x.md)", (), ("../other/x.md", "/x.md")),
        ("[in](references/../../x.md)", (), ("../x.md",)),
        ("```md\n[a](gone.md)\n```\n[b](here.md)\n~~~\n[c](gone.md)", (), ("here.md",)),
        ("```sh\npython scripts/run.py\n```", (), ("scripts/run.py",)),
    ],
)
def test_references_are_found(
    text: str, resources: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert file_references(text, resources) == expected
