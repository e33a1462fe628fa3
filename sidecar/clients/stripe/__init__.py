"""Stripe's API over HTTP, and the events that it sends.

When the library is imported it looks for HTTP clients, and imports those that it finds. None of them may be loaded:
`transport` is the one way to Stripe, and it follows no proxy of the environment. So they are hidden meanwhile: an
import of a module that is None in `sys.modules` fails (docs.python.org/3/reference/import.html, "The module cache").
"""

import sys

_HTTP_CLIENTS = ("requests", "pycurl", "httpx")
_hidden = [name for name in _HTTP_CLIENTS if name not in sys.modules]
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]  # the annotations do not know of None there
try:
    import stripe  # noqa: F401 - the room's modules import it too, and get this one
finally:
    for _name in _hidden:
        del sys.modules[_name]
