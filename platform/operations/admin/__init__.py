"""Django finds the admin's pages here."""

from operations.admin import announcements, customers, invoices, money, requests, stripe, visits

__all__ = ["announcements", "customers", "invoices", "money", "requests", "stripe", "visits"]
