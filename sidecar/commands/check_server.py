"""What `check` says of Directus's version, its license and its limits. Plain functions without I/O."""

from collections.abc import Iterator

from sidecar.clients.directus.server_info import OLDEST, ServerInfo, dotted
from sidecar.commands.lines import Line, Word

NO_LICENSE = (
    "this Directus has no license, which item rules and field lists need: callers have all of a collection or "
    "nothing, and there is no service token that is limited to its job, so no change feed, no events of Stripe's and "
    "no `reconcile`. Leave DIRECTUS_SERVICE_TOKEN away; the rest works, and IDs are written back as the caller. A "
    "license adds own rows and the service token"
)


def version_line(info: ServerInfo) -> Line:
    oldest = dotted(OLDEST)
    if info.version is None and info.tells_license:
        return Line(Word.OK, "Directus is version 12 or newer")
    if info.version is None:
        return Line(Word.NOTE, f"Directus does not tell its version; it must be {oldest} or newer")
    if info.too_old:
        return Line(Word.FAULT, f"Directus is version {dotted(info.version)}: update it to {oldest} or newer")
    return Line(Word.OK, f"Directus is version {dotted(info.version)}")


def license_lines(info: ServerInfo) -> Iterator[Line]:
    if info.unlicensed:
        yield Line(Word.NOTE, NO_LICENSE)


def limit_lines(info: ServerInfo, *, believed: bool | None) -> Iterator[Line]:
    """`believed`: whether Directus believes the addresses we pass on, by which it counts; None if that is unknown."""
    if (each := info.limit_of_each) is not None:
        yield _limit_of_each(each, believed=believed)
    if (total := info.limit_of_all) is not None:
        yield Line(
            Word.NOTE,
            f"Directus answers {total} to everybody together (RATE_LIMITER_GLOBAL_POINTS): beyond that callers whose "
            "permissions are not remembered get 503",
        )


def _limit_of_each(limit: str, *, believed: bool | None) -> Line:
    shared = f"all callers share one allowance of {limit} (RATE_LIMITER_POINTS), the sidecar's, and get 503 beyond it"
    match believed:
        case True:
            return Line(Word.OK, f"Directus counts {limit} for each caller's own address (RATE_LIMITER_POINTS)")
        case False:
            return Line(
                Word.FAULT, f"as Directus does not believe addresses, {shared}: mend that, or raise RATE_LIMITER_POINTS"
            )
        case None:
            return Line(Word.NOTE, f"if Directus does not believe addresses, {shared}")
