"""The front ends that nginx serves, each on the same origin as Directus and the sidecar."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LOCATIONS = Path(__file__).with_name("page.conf")


@dataclass(frozen=True, slots=True)
class Page:
    """The files in `folder`, served at `place`/; with `stripe` it may run that origin's script and ask it.

    `logins`: a file of people who can be signed in with one click, whoever asks on this machine. It must not be given
    where anything but demo data depends on these logins.
    """

    place: str
    folder: Path
    stripe: str = ""
    logins: Path | None = None

    def locations(self) -> str:
        """Give nginx's lines for it."""
        values = {
            "PLACE": self.place,
            "FOLDER": str(self.folder),
            "STRIPE": self.stripe and f" {self.stripe}",
            "LOGINS": f'alias "{self.logins}"' if self.logins else 'return 200 "[]"',
        }
        lines = _LOCATIONS.read_text(encoding="utf-8")
        for name, value in values.items():
            lines = lines.replace(f"${{{name}}}", value)
        return lines


DESK = Page("/demo", Path(__file__).parent / "page")


def with_pages(template: str, pages: Iterable[Page]) -> str:
    """Add the locations to the template's last block, which is the server block."""
    locations = "\n".join(page.locations() for page in pages)
    return f"{template.rstrip().removesuffix('}')}\n{locations}}}\n"
