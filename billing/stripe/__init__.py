"""Stripe: cards, payments, invoices. Nothing of it is there without a key (`client.is_configured`)."""
