"""Types of settings' values. Their messages say how to mend a value, and never show it."""

import json
import re
import ssl
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from sidecar.core.access.allowed_origins import is_below_public_suffix, is_origin, is_wildcard
from sidecar.core.operations.api_versions import is_version
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.core.operations.return_urls import is_return_url
from sidecar.settings.names import collection_name, field_name, own_field_name
from sidecar.settings.plain_values import require_bare, without_quotes

Network = IPv4Network | IPv6Network
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_LEVELS: Mapping[str, Level] = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARNING",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "ERROR",
    "fatal": "ERROR",
}


_ADDRESS = "must be an address with its scheme, such as http://directus:8055 or https://cms.example.com"


def _origin(value: str) -> str:
    require_bare(value)
    if not re.match("https?://", value):
        raise ValueError(_ADDRESS)
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("must have a host after http:// or https://, and a port up to 65535 or none")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have no login, query or fragment")
    return value.rstrip("/")


def _host(value: str) -> str:
    """`0.0.0.0`, `::` or a name; what listens takes a port of its own."""
    require_bare(value)
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.%a-z0-9]*", value):
        raise ValueError(
            "must be an address or a name alone, such as 0.0.0.0, without http:// and port, which is SIDECAR_PORT"
        )
    return value


def _port(value: object) -> object:
    """Tell apart what Kubernetes sets (kubernetes.io/docs/tutorials/services/connect-applications-service)."""
    if isinstance(value, str) and re.match(r"[a-z]+://", value):
        raise ValueError(
            "is the address of a Service called `sidecar`, which Kubernetes puts there unless the pod has "
            "`enableServiceLinks: false`"
        )
    if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]{1,5}\s*", value):
        raise ValueError("must be the number of a port alone, such as 8080")
    return value


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        raise ValueError("must be a number of seconds in digits alone, without a unit, such as 30") from None


def _level(value: object) -> object:
    """Take Directus's words too (its LOG_LEVEL), as one environment may serve both."""
    return _LEVELS.get(value.strip().lower(), value) if isinstance(value, str) else value


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
            "must be addresses or networks, comma-separated, such as 10.0.0.7,10.1.0.0/16: no names, and no bits set "
            "after the prefix"
        ) from None


_MAP = """must be JSON, such as '{"name": "name", "email": ["email", "receipt_email"]}'"""
_LOST = f"has lost the quotes around its words, which a shell takes away: put single quotes around it; it {_MAP}"


def _field_map(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = without_quotes(value.strip())
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(_LOST if re.match(r"\{\s*[A-Za-z_]", text) else _MAP) from None
    if not isinstance(found, dict) or not all(map(_names_attributes, found.values())):
        raise ValueError(_MAP)
    return found


def _names_attributes(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _path(value: str) -> str:
    if not re.fullmatch(r"(?=.{1,100}\Z)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", value):
        raise ValueError("must stand for an attribute of Stripe's customers, such as name or email, in small letters")
    return value


def default_field_map() -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in ("name", "email", "phone", "address")}


def _attributes(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _entry(value: str) -> None:
    """Tell what is wrong with the list before its entries are judged, which have no spaces, brackets or quotes."""
    if re.search(r"\s|;", value):
        raise ValueError("must have a comma between its entries, no space and no semicolon")
    if value[:1] in "[\"'" or value[-1:] in "]\"'":
        raise ValueError(
            "must be written without brackets and quotes, such as https://a.example.com,https://b.example.com"
        )


def _browser_origin(value: str) -> str:
    _entry(value)
    if is_wildcard(value):
        if is_below_public_suffix(value):
            raise ValueError("must have no * directly below a domain in which everybody can get a name")
    elif re.fullmatch(r"[^/:]+(:[0-9]+)?/?", value) and value not in {"*", "null"}:
        raise ValueError("must begin with a scheme, such as https://app.example.com")
    elif re.fullmatch(r"[a-z]+://[^/]+/.*", value):
        raise ValueError("must end after host and port, without slash and path, such as https://app.example.com")
    elif not is_origin(value):
        raise ValueError(
            "must be origins as browsers send them, in lower case and without path, final slash and default port, "
            "such as https://app.example.com, or with * as the first of at "
            "least three labels, such as https://*.preview.example.com; * and null are none"
        )
    return value


def _return_url(value: str) -> str:
    _entry(value)
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


def _project(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError("must be 1 to 64 letters, digits and any of _.- without spaces, such as shop-live")
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
LogLevel = Annotated[Level, BeforeValidator(_level)]
Host = Annotated[str, AfterValidator(_host)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False), BeforeValidator(_seconds)]
Delay = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False), BeforeValidator(_seconds)]
Moment = Annotated[float, Field(ge=1, le=60, allow_inf_nan=False), BeforeValidator(_seconds)]
ProjectName = Annotated[str, AfterValidator(_project)]
Certificates = Annotated[str, AfterValidator(_certificates)]
Attribute = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Path = Annotated[str, AfterValidator(_path)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_attributes)]
FieldAttributes = Annotated[dict[FieldName, Paths], BeforeValidator(_field_map)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_browser_origin)], ...], BeforeValidator(listed)]
ReturnUrls = Annotated[tuple[Annotated[str, AfterValidator(_return_url)], ...], BeforeValidator(listed)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks)]
Header = Annotated[str, AfterValidator(_header)]
SocketPath = Annotated[str, AfterValidator(_socket_path)]
Prefix = Annotated[str, AfterValidator(_prefix)]
