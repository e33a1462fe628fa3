"""Types of settings' values. Their messages say how to mend a value, and never show it."""

import json
import re
import ssl
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from sidecar.core.access.allowed_origins import is_below_public_suffix, is_origin, is_wildcard
from sidecar.core.operations.api_versions import is_version
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.core.operations.return_urls import is_return_url
from sidecar.settings.names import collection_name, field_name, own_field_name

Network = IPv4Network | IPv6Network


def _origin(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("must be an http:// or https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have no login, query or fragment")
    return value.rstrip("/")


def _port(value: object) -> object:
    """Tell apart what Kubernetes sets (kubernetes.io/docs/tutorials/services/connect-applications-service)."""
    if isinstance(value, str) and re.match(r"[a-z]+://", value):
        raise ValueError(
            "is the address of a Service called `sidecar`, which Kubernetes puts there unless the pod has "
            "`enableServiceLinks: false`"
        )
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", value):
        raise ValueError("must look like /stripe, with no slash at the end")
    return value


def _socket_path(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9/._~-]*", value):
        raise ValueError("must be a path that begins with a slash, such as /websocket; Directus too serves no other")
    return value


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ValueError("must be the name of a header or cookie")
    return value


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError(
            "must be addresses or networks, such as 10.0.0.0/8, with no bits set after the prefix"
        ) from None


def _field_map(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be JSON, such as {"name": "name", "email": ["email", "receipt_email"]}') from None


def default_field_map() -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in ("name", "email", "phone", "address")}


def _attributes(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _browser_origin(value: str) -> str:
    if is_wildcard(value):
        if is_below_public_suffix(value):
            raise ValueError("must have no * directly below a domain in which everybody can get a name")
    elif not is_origin(value):
        raise ValueError(
            "must be origins as browsers send them, in lower case and without path, final slash and default port, "
            "such as https://app.example.com, or with * as the first of at "
            "least three labels, such as https://*.preview.example.com; * and null are none"
        )
    return value


def _return_url(value: str) -> str:
    parts = urlsplit(value)
    if not is_return_url(value) or parts.query or parts.fragment:
        raise ValueError("must be https:// addresses without query, such as https://app.example.com/account")
    return value


def _api_version(value: str) -> str:
    if not is_version(value):
        raise ValueError(f"must be a version of Stripe's API, such as {API_VERSION}")
    return value


def _account(value: str) -> str:
    if not re.fullmatch(r"acct_[A-Za-z0-9]{1,250}", value):
        raise ValueError("must be the ID of a connected account, such as acct_1QABC")
    return value


def _certificates(value: str) -> str:
    try:
        ssl.create_default_context(cadata=value)
    except (ssl.SSLError, ValueError):
        raise ValueError("must be certificates in PEM form; to name their file, use the same name with _FILE") from None
    return value


AccountId = Annotated[str, AfterValidator(_account)]
Port = Annotated[int, Field(ge=0, le=65535), BeforeValidator(_port)]
Origin = Annotated[str, AfterValidator(_origin)]
ApiVersion = Annotated[str, AfterValidator(_api_version)]
CollectionName = Annotated[str, AfterValidator(collection_name)]
FieldName = Annotated[str, AfterValidator(field_name)]
OwnFieldName = Annotated[str, AfterValidator(own_field_name)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Certificates = Annotated[str, AfterValidator(_certificates)]
Attribute = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Path = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=100)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_attributes)]
FieldAttributes = Annotated[dict[FieldName, Paths], NoDecode, BeforeValidator(_field_map)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_browser_origin)], ...], NoDecode, BeforeValidator(listed)]
ReturnUrls = Annotated[tuple[Annotated[str, AfterValidator(_return_url)], ...], NoDecode, BeforeValidator(listed)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Header = Annotated[str, AfterValidator(_header)]
SocketPath = Annotated[str, AfterValidator(_socket_path)]
Prefix = Annotated[str, AfterValidator(_prefix)]
