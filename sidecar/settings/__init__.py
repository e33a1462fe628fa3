"""All settings of the environment: what each means, which values it takes, and where its value comes from."""

from sidecar.settings.directus import DirectusSettings
from sidecar.settings.loading import SettingsFault, load, unread_by
from sidecar.settings.model import Settings
from sidecar.settings.operations import OperationsSettings
from sidecar.settings.variables import Variables

__all__ = ["DirectusSettings", "OperationsSettings", "Settings", "SettingsFault", "Variables", "load", "unread"]


def unread() -> list[str]:
    """Say which variables look like settings of the service and are none."""
    return unread_by(Settings)
