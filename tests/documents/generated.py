"""Which tables in the documents are made of the code. `python -m tests.documents` writes them, a test compares them."""

from collections.abc import Callable, Mapping
from functools import partial

from tests.documents.operations import operations_table, takes_table
from tests.documents.pages import SIDECAR
from tests.documents.settings import GROUPS, settings_table
from tests.documents.sources import sources_table

GENERATED: Mapping[tuple[str, str], Callable[[], str]] = {
    (SIDECAR, "operations"): operations_table,
    (SIDECAR, "takes"): takes_table,
    (SIDECAR, "sources"): sources_table,
    **{(SIDECAR, f"settings-{group}"): partial(settings_table, group) for group in GROUPS},
}
