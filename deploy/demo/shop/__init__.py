"""A magazine for subscribers, on the demo's Directus, with a sidecar, a stand-in for Stripe and an nginx of its own.

    running           `running_shop()`: its servers, for the demo and for the tests in a browser
    magazine          what Directus holds: the articles and who may read them, the members, signing up
    operations.toml   the operations that are on in it
    page/             the front end: sign up, pay in the page, read, cancel

What each part is for:

    Directus          people and articles. An item rule opens an article to who has the status that it names
    Stripe            prices, subscriptions and payments. Its events say what becomes of them
    the sidecar       lets a member subscribe and cancel, and writes the status of the subscription into its item
"""
