"""All settings of the environment: what each means, which values it takes, and where its value comes from."""

from sidecar.settings.directus import DirectusSettings
from sidecar.settings.loading import SettingsFault, load
from sidecar.settings.model import Settings
from sidecar.settings.operations import OperationsSettings

__all__ = ["DirectusSettings", "OperationsSettings", "Settings", "SettingsFault", "load"]
