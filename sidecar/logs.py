"""The one logging configuration: JSON lines on standard error.

A record says what happened and contains no token, key, query string or body.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

# What orjson would write by itself and `str` writes with care: a dataclass, for one, may hide a token from its `repr`.
_AS_TEXT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
Facts = Callable[[], Mapping[str, object]]


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `extra` is written beside the message, as is what `facts` gives at that moment."""

    def __init__(self, facts: Facts = dict) -> None:
        super().__init__()
        self._facts = facts

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= self._facts()
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _written(line)


def _written(line: dict[str, object]) -> str:
    try:
        return orjson.dumps(line, default=str, option=_AS_TEXT).decode()
    except TypeError:  # half a surrogate pair, a huge number, a key that is no text
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str, facts: Facts = dict) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(facts))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # At DEBUG asyncio and these libraries log connections and bodies, which may contain secrets.
    for name in ("asyncio", "stripe", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.WARNING)
