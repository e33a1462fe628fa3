"""`python -m tests.documents` writes the tables that are made of the code into the documents, each below its marker."""

from tests.documents.generated import GENERATED
from tests.documents.pages import ROOT, table_after, text_of

for (page, marker), made in GENERATED.items():
    text = text_of(page)
    before, found, after = text.partition(f"<!-- {marker} -->\n")
    if not found:
        raise SystemExit(f"{page} has no <!-- {marker} -->")
    (ROOT / page).write_text(before + found + made() + after.removeprefix(table_after(page, marker)), encoding="utf-8")
