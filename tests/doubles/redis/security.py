"""What a client of a test's Redis must have: a password, a user with few rights, trust in a private authority."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from tests.doubles.redis.certificates import Certificates

PASSWORD = 'p@ss:w/rd "%#? é'  # what a URL and a configuration file must quote


@dataclass(frozen=True, slots=True)
class Security:
    """`password` is of the default user, who may do everything, and of `user`, who may do what `rules` say."""

    password: str = ""
    user: str = ""
    rules: str = "~* &* +@all"
    certificates: Certificates | None = None

    def lines(self) -> list[str]:
        """Give the lines of a server's configuration."""
        return [*self._passwords(), *self._tls()]

    def listening(self, port: int) -> list[str]:
        return [f"port {port}"] if self.certificates is None else ["port 0", f"tls-port {port}"]

    def options(self) -> list[str]:
        """Give redis-cli's options."""
        return [] if self.certificates is None else ["--tls", "--cacert", str(self.certificates.authority)]

    def variables(self) -> dict[str, str]:
        return {"REDISCLI_AUTH": self.password} if self.password else {}

    def url(self, ports: Iterable[int], *, kind: str = "", path: str = "", user: str | None = None) -> str:
        """Give the value of REDIS; `kind` is "" or such as "+sentinel"."""
        scheme = ("redis" if self.certificates is None else "rediss") + kind
        name = quote(self.user if user is None else user, safe="")
        password = f"{name}:{quote(self.password, safe='')}@" if self.password else ""
        return f"{scheme}://{password}{','.join(f'127.0.0.1:{port}' for port in ports)}{path}"

    def _passwords(self) -> list[str]:
        if not self.password:
            return []
        own = f"user {self.user} on {quoted('>' + self.password)} {self.rules}"
        both = [f"requirepass {quoted(self.password)}", f"masterauth {quoted(self.password)}"]
        return [*both, own] if self.user else both

    def _tls(self) -> list[str]:
        if self.certificates is None:
            return []
        return [
            f"tls-cert-file {quoted(str(self.certificates.certificate))}",
            f"tls-key-file {quoted(str(self.certificates.key))}",
            f"tls-ca-cert-file {quoted(str(self.certificates.authority))}",
            "tls-auth-clients no",
            "tls-replication yes",
        ]


OPEN = Security()


def quoted(text: str) -> str:
    """Quote `text` for a line of a configuration."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
