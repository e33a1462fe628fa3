"""Commands that an operator runs by hand. They may block, and they print one line for each finding.

    provision       prepares a Directus, with an administrator's token; alone needs the extra `setup`
      administrator   Directus's API as an administrator uses it
      schema          the collection and its fields
      grants          the service policy and its permissions
      rights          the list of those permissions
      account         the service user and its token
    check           compares Directus and Stripe with the settings, and changes nothing
      check_reach, check_server, check_directus, check_collection, check_items, check_rights, check_fields,
      check_policies, check_feed, check_address, check_nodes, check_proxies,
      check_stripe
    reconcile       writes missing customer IDs into items; a CronJob runs it
      ledger          Stripe's customers, and the items they name
      report          the lines that it prints
    columns         what the column of an ID field is like, for provision and check
    lines           the lines that provision and check print

The running service imports nothing from here.
"""
