"""Commands that an operator runs by hand. They may block, and they print one line for each finding.

    provision       prepares a Directus, with an administrator's token; alone needs the extra `setup`
      administrator   Directus's API as an administrator uses it
      rehearsal       the same, as it would be after what is planned
      preparing       what is made and mended, in order
      asked           what is found out before that
      schema          the collection and its fields
      grants          policies and their permissions
      rights          the list of the service's permissions
      account         users without a login, and the service's token
      flow            the Flow that creates a customer for each new item
    check           compares Directus and Stripe with the settings, and changes nothing
      check_reach, check_server, check_directus, check_collection, check_items, check_rights, check_fields,
      check_policies, check_feed, check_address, check_nodes, check_proxies,
      check_stripe
    reconcile       writes missing customer IDs into items; a CronJob runs it
      ledger          Stripe's customers, and the items they name; link uses it too
      report          the lines that it prints
    confirming      asks at the terminal, for provision and link
    link            joins the items and customers of a shop that has both already
      linker          what it reads of both, and how it joins two
      link_file       the file that says who belongs to whom
      link_table      the lines that it prints
    columns         what the column of an ID field is like, for provision and check
    lines           the lines that provision and check print

The running service imports nothing from here.
"""
