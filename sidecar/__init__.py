"""Stripe for the front ends of a Directus project: Directus decides, the Stripe key stays here.

One sentence: core decides, clients go out, web lets in.

    __main__    the command line: serve (default), check, provision, reconcile
    serving     the life of the process
    app         composition root; the only module that knows all the rooms
    settings    every setting, one documented field a line
    environment where their values may stand
    values      what a setting's value must look like
    errors      every way a request can end badly, with its status and code
    logs        the one logging configuration
    context     what is known of the request being served
    metrics     what is counted

    core/       decides: plain functions over frozen dataclasses, no network, no clock
    clients/    goes out: Directus and Stripe, each turned into core values and errors
    web/        lets in: aiohttp's server side, the guard, the routes
    commands/   one-off work of an operator: check, provision, reconcile

Imports point one way: app -> web, clients -> core -> errors. A reviewer who wants to know everything
this service can do reads ``core/operations.py``.
"""

__version__ = "0.1.0"
