"""Logs are one JSON object a line, and no library writes other lines."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.credentials import Credential, Source
from sidecar.logs import JsonFormatter, configure


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("asyncio", "stripe")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


def formatted(message: str, *arguments: object, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "sidecar.test", "levelname": "WARNING", "msg": message, "args": arguments, "created": 0.25, **extra}
    )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    parsed: dict[str, object] = json.loads(line)
    return parsed


def test_a_line() -> None:
    """A record has its time in UTC, level, logger and message, and the given values."""
    assert formatted("asked %d times", 3, code="X", path="/stripe/payments") == {
        "time": datetime.fromtimestamp(0.25, UTC).isoformat(timespec="milliseconds"),
        "level": "warning",
        "logger": "sidecar.test",
        "message": "asked 3 times",
        "code": "X",
        "path": "/stripe/payments",
    }


@given(st.text(), st.text())
def test_nothing_that_is_logged_begins_a_line(message: str, value: str) -> None:
    """Any message or value stays within its line and can be read back."""
    line = formatted(message.replace("%", "%%"), path=value)

    assert line["path"] == value


def test_values_of_any_kind_can_be_logged() -> None:
    """A value without a JSON form is written as text."""
    assert formatted("m", when=datetime(2026, 1, 1, tzinfo=UTC))["when"] == "2026-01-01 00:00:00+00:00"


def test_what_hides_itself_stays_hidden() -> None:
    """S1: A token that a value keeps from its text is not written, whichever library writes the line."""
    line = formatted("m", who=Credential("MARKED-token", Source.HEADER, None))

    assert "MARKED" not in str(line)
    assert "address" in str(line["who"])


@pytest.mark.parametrize("value", [2**70, {1: "a number as a key"}, "half a pair: \ud83d"])
def test_values_that_orjson_refuses(value: object) -> None:
    """A value that the quick library refuses is written all the same."""
    assert json.loads(json.dumps(value)) == formatted("m", value=value)["value"]


def _fail() -> None:
    raise LookupError("missing")


def test_an_exception_is_in_its_record() -> None:
    """A traceback is part of the one line."""
    with pytest.raises(LookupError) as raised:
        _fail()

    line = formatted("m", exc_info=(raised.type, raised.value, raised.tb))

    assert "LookupError: missing" in str(line["exception"])


@pytest.mark.usefixtures("_logging_as_before")
def test_the_one_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """Every logger writes JSON lines to standard error, from the configured level on, and nothing elsewhere."""
    configure("INFO")

    logging.getLogger("sidecar.anything").info("shown", extra={"code": "X"})
    logging.getLogger("sidecar.anything").debug("not shown")
    logging.getLogger("aiohttp.server").error("shown too")

    captured = capsys.readouterr()
    assert [json.loads(line)["message"] for line in captured.err.splitlines()] == ["shown", "shown too"]
    assert captured.out == ""


@pytest.mark.usefixtures("_logging_as_before")
def test_libraries_that_describe_traffic_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """S1: At DEBUG neither connections nor Stripe's bodies are logged; warnings about them are."""
    configure("DEBUG")

    for name in ("asyncio", "stripe"):
        logging.getLogger(name).info("traffic")
        logging.getLogger(name).warning("warning")

    assert "traffic" not in (printed := capsys.readouterr().err)
    assert printed.count("warning") == 4


@pytest.mark.usefixtures("_logging_as_before")
def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A second configuration replaces the first."""
    configure("INFO")
    configure("WARNING")

    logging.getLogger("sidecar").warning("once")

    assert len(capsys.readouterr().err.splitlines()) == 1
