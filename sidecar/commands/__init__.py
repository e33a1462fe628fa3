"""What an operator runs once, by hand: it may block, and it prints one line for each finding.

    provision       prepares a Directus, with an administrator's token
      administrator   the library's calls, judged here
      schema          the collection and its fields
      grants          the service policy and its permissions
      rights          which those are
      account         the service user and its token
    check           looks at what the settings name, and changes nothing
      check_directus, check_rights, check_policies, check_feed, check_stripe
    reconcile       gives items the customer IDs they lack; a CronJob runs it
      ledger          Stripe's customers, and the items they name
      report          what it prints
    lines           what the others print
    addresses       how both find out whom Directus believes

Nothing here is imported while the service serves.
"""
