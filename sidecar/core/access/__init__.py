"""Who may do what: credentials, Directus's permissions, the decision, and the customers that are a caller's own."""
