"""The demo: a real Directus, a Stripe emulator, nginx and the sidecar on loopback ports, with users and customers.

Modules that run before there is a virtual environment, so with the standard library only:

    prepare           installs what is missing; the demo and the tests call it first
    tools             the programs that the machine must have: npm, a C++ compiler, nginx, Chromium
    redis_program     Redis, without its service
    venv, install     the Python environment; Node and Directus
    cache, progress   the cache of what was built; messages for the terminal
    children, watcher child processes that end with their parent

Modules that need the environment:

    __main__          `python -m deploy.demo [--once] [--replicas N]`
    stack             `running_stack()`: all servers, for the demo and for the integration tests
    servers           how to start each program
    redis_server      how to start Redis
    processes         starts a program, waits until it answers, ends it
    admin, people     the Directus API as an administrator uses it; the demo's users and their customers
    purchases         what those customers have bought
    expectations      the table of who may do what
    matrix, report    asks every route as every user; prints the answers
    replicas          asks each of several replicas around a logout
    page/             a front end in the browser; pages, page.conf  how nginx serves front ends
    shop              a magazine for subscribers, which takes payments in its page
    operations.toml   the operations that are on in the demo

The Stripe emulator is a package of its own, deploy/stripe_stand_in, which the tests use too.

The service does not import this package.
"""
