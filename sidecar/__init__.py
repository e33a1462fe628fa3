"""Stripe for the front ends of a Directus project: Directus decides, the Stripe key stays here.

One sentence: core decides, clients go out, web lets in.

    __main__    the command line: serve (default), check, provision, reconcile, link
    serving     the life of the process
    announcing  the line that is logged at the start
    app         composition root; the only module that knows all the rooms
    opening     the clients of both upstreams, for the service and the commands
    listening   what is done with Stripe's events
    settings/   every setting, one documented field a line
    errors      every way a request can end badly, with its status and code
    outcome     whose fault that is, in one word
    logs        the one logging configuration
    audit       the one line for each change
    context     what is known of the request being served
    party       those for whom one call to an upstream is made
    metrics     what is counted
    tracing     the seam by which spans are told
    traces      what sends them, where an operator wants that

    core/       decides: plain functions over frozen dataclasses, no network, no clock
      access/       credentials, identity, permissions, whole access, the decision, a caller's customers, origins
      operations/   the table of operations, its parameters, the operator's rules and values
      status/       what belongs to a customer: its sources, which subscription counts, how fields hold it
      flows/        what happens in which order
      traffic/      fair turns between callers, and rates
    clients/    goes out: Directus and Stripe, each turned into core values and errors
      directus/     the line of questions, permissions and their cache, policies, the change feed, items
      stripe/       calls, their turns and retries, events
      lists/        whole lists, pages, and lists of some customers
      otlp/         spans, sent to a collector
      redis/        what replicas share: permissions, news, Stripe's budgets, the last change, shapes of lists
    web/        lets in: aiohttp's server side, the guard, the routes
      admission/    the gate, ownership, origins, places, unverified bodies
      requests/     bodies and their models
      answers/      pages and streams
      description/  OpenAPI
      server/       connections, limits of heads, middlewares, clients that leave, the end of the process
    commands/   one-off work of an operator: check, provision, reconcile, link

Imports point one way: app -> web, clients -> core -> errors. A reviewer who wants to know everything
this service can do reads ``core/operations/table``.
"""

__version__ = "0.1.0"
