"""Every setting, as the environment names it: what each means, what its value must look like, where it may stand."""

from sidecar.settings.directus import DirectusSettings
from sidecar.settings.loading import SettingsFault, load
from sidecar.settings.model import Settings
from sidecar.settings.operations import OperationsSettings

__all__ = ["DirectusSettings", "OperationsSettings", "Settings", "SettingsFault", "load"]
