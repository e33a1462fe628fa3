"""What all tables say of the machine."""

import os
import platform


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
