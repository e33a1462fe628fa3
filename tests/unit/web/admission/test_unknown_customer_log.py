"""The operator's log of rows with unknown customers is bounded."""

import logging

import pytest

from sidecar.web.admission.unknown_customers import UnknownCustomerLog

HOUR = 3600


class Timer:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_row_is_logged_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """A row that is met all the time is one line an hour, with its item and customer."""
    timer = Timer()
    log = UnknownCustomerLog(timer)

    for minute in range(180):
        timer.now = minute * 60
        log.add("customers", 7, "cus_1")

    assert len(caplog.records) == 3
    assert [(one.collection, one.item, one.customer) for one in caplog.records[:1]] == [("customers", 7, "cus_1")]  # type: ignore[attr-defined]  # `extra`
    assert {one.levelno for one in caplog.records} == {logging.ERROR}


def test_many_rows_are_some_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Of a database that was restored a hundred rows are logged, and that there are more."""
    log = UnknownCustomerLog(Timer())

    for _ in range(2):
        for number in range(5000):
            log.add("customers", number, f"cus_{number}")

    assert len(caplog.records) == 101
    assert "`reconcile --dry-run`" in caplog.records[-1].message


def test_the_next_hour_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    """After an hour the same rows are logged again, since nobody mended them."""
    timer = Timer()
    log = UnknownCustomerLog(timer)

    for now in (0, HOUR - 1, HOUR):
        timer.now = now
        log.add("customers", None, "cus_1")

    assert len(caplog.records) == 2
