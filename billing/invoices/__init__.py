"""Invoices: a calendar month (UTC) of an organization's usage, priced, numbered, sent, paid.

`closing` makes the draft, `issuing` numbers it, `payments` and `credit_notes` settle it, `dunning` reminds of it,
`documents` shows it. Each function locks the organization's account before the invoice, as the ledger does.
"""
