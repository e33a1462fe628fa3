"""A real Directus, a Stripe emulator, nginx and the sidecar on loopback ports, and the main job shown on them.

Standard library only, since they run before there is a virtual environment:

    prepare           everything that must be installed, with progress; what both commands call first
    tools             what the machine must bring: npm, a C++ compiler, nginx, Chromium
    venv, install     the Python environment; Node and Directus
    cache, progress   built once and kept; what the terminal is told meanwhile
    children, watcher processes that end with the one that started them

With it:

    __main__          `python -m deploy.demo [--once]`
    stack             `running_stack()`: the whole thing, for the demo and for the integration tests
    servers           how each program is started
    processes         starting, waiting until it answers, ending
    admin, people     the Directus API as an administrator uses it; who is who, and what they own
    expectations      who may do what: the table
    matrix, report    everybody asks everything; what the terminal is told of it
    page/, page.conf  a front end of all this in the browser, and how nginx serves it
    operations.toml   what of Stripe is switched on here

The Stripe emulator is a package of its own, deploy/stripe_stand_in, which the tests use too.

Nothing in here is part of the service, and nothing in `sidecar` imports it.
"""
