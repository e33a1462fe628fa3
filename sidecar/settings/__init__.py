"""Every setting, as the environment names it: what each means, what its value must look like, where it may stand."""

from sidecar.settings.model import DirectusSettings, Settings, SettingsFault, load

__all__ = ["DirectusSettings", "Settings", "SettingsFault", "load"]
