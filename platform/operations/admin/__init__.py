"""Django finds the admin's pages here."""

from operations.admin import customers, invoices, money, requests, stripe, visits

__all__ = ["customers", "invoices", "money", "requests", "stripe", "visits"]
