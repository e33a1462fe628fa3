"""Which credential a `POST /auth/logout` of Directus ends."""

from collections.abc import Sequence

from sidecar.core.access.credentials import Credential, find_credential


def logged_out(
    *, authorization: Sequence[str], access_token: Sequence[str], cookies: Sequence[str | None]
) -> Credential | None:
    """Find the one credential that such a request ends, without an address; raises RequestError for none that can be.

    In the mode `session` Directus ends the session of the first session cookie, whatever else the request carries. In
    its other modes it ends the refresh token in the body or in a cookie of another name, and no access token: one
    with that session, in the header or the query, counts where there is no session cookie (controllers/auth).
    """
    cookie = find_credential(authorization=(), access_token=(), cookies=cookies[:1], address="")
    return cookie or find_credential(authorization=authorization, access_token=access_token, cookies=(), address="")
