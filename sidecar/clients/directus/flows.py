"""Starts Flows of Directus whose trigger is a webhook (Directus's guide "Flows", "Triggers").

Whoever knows a Flow's ID may start it, so a Flow is asked without a token. It would get one as
`$trigger.headers.authorization`, and give it to every operation in it.
"""

from collections.abc import Mapping
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusAnswer, DirectusClient, segment
from sidecar.errors import EventFailed

_TRIGGER = "/flows/trigger"


class DirectusFlows:
    def __init__(self, client: DirectusClient) -> None:
        self._client = client

    async def start(self, flow: str, told: Mapping[str, object]) -> None:
        """Wait for as long as the request lasts: a Flow that answers at its end may take a while.

        What the Flow returns means nothing here. Directus has no body for nothing, and JSON for anything else.
        """
        answer = await self._client.request_patiently(
            None, "POST", f"{_TRIGGER}/{segment(flow)}", json=told, sent=lambda _: None, shown=_TRIGGER
        )
        returned = answer.status == HTTPStatus.OK and answer.body is not None
        if not returned and answer.status != HTTPStatus.NO_CONTENT:
            raise EventFailed("The Flow of this event did not end well. Send it again.", detail=_why(answer))


def _why(answer: DirectusAnswer) -> str:
    said = f"the Flow answered {answer.status} {answer.code or ''}".rstrip()
    if answer.status == HTTPStatus.FORBIDDEN:
        return (
            f"{said}: Directus has no active Flow with this ID that a POST starts, or one of its operations was "
            "refused; look at the Flow's trigger, status and permissions"
        )
    return f"{said}: look at the Flow's log in Directus"
