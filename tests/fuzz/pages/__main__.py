"""`python -m tests.fuzz.pages [--documents N] [--seed S]`: pages that are passed on against pages that are parsed.

    pool, documents   lists, changed       judge   what is to be the same

Each document is a list as Stripe could write it, changed in some places. Prints how many were read without parsing, and
each finding with the document's number and bytes; `--only NUMBER` judges that one again, in every form and for every
view. The exit code is 1 if there is a finding.
"""

import argparse
import sys
import time
from random import Random

from sidecar.clients.stripe.skim import skimmed
from tests.fuzz.pages.documents import Documents
from tests.fuzz.pages.judge import FORMS, VIEWS, faults, of_answer, slow_page

_MOST = 20  # findings that are printed
_EVERY = 250_000


def main() -> int:
    options = _options()
    documents, random = Documents(options.seed), Random(options.seed)  # noqa: S311 - reproducible, not secret
    if options.only is not None:
        return _again(documents.document(options.only))
    found = fast = 0
    began = time.monotonic()
    for number in range(options.documents):
        content = documents.document(number)
        quick, told = judged(content, random)
        fast += quick
        found += bool(told)
        if told and found <= _MOST:
            print(f"{number}: {'; '.join(told)}\n{content[:4000]!r}", flush=True)
        if (number + 1) % _EVERY == 0:
            seconds = time.monotonic() - began
            print(f"{number + 1} documents, {fast} not parsed, {found} findings, {seconds:.0f} s", flush=True)
    print(f"seed {options.seed}: {options.documents} documents, {fast} not parsed, {found} findings")
    return int(found > 0)


def judged(content: bytes, random: Random) -> tuple[bool, list[str]]:
    """Judge a document; what breaks is a finding too."""
    try:
        return faults(content, random)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return False, [repr(error)]


def _again(content: bytes) -> int:
    fast, slow = skimmed(content), slow_page(content)
    print(f"{content!r}\nnot parsed: {fast}\nparsed: {slow}")
    if slow is None:
        return int(fast is not None)
    told = [one for form in FORMS for view in VIEWS for one in of_answer(form, view, fast or slow, slow)]
    print("\n".join(told))
    return int(bool(told))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.pages")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="judge the document of this number alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
