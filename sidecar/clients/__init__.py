"""Goes out. Each module turns one foreign protocol into core values and errors; none knows aiohttp's server side."""
