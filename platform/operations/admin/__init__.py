"""Django finds the admin's pages here."""

from operations.admin import announcements, customers, four_eyes, invoices, money, requests, stripe, visits

__all__ = ["announcements", "customers", "four_eyes", "invoices", "money", "requests", "stripe", "visits"]
