"""Unfold's settings: the admin's name, colors and navigation (settings.UNFOLD)."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

_RUST = {
    "50": "#fff7ed",
    "100": "#ffedd5",
    "200": "#fed7aa",
    "300": "#fdba74",
    "400": "#fb923c",
    "500": "#f97316",
    "600": "#c2410c",
    "700": "#9a3412",
    "800": "#7c2d12",
    "900": "#632410",
    "950": "#431407",
}


def _group(title: str, *pages: tuple[str, str, str]) -> dict[str, Any]:
    """Pages as (title, icon, table)."""
    items = [
        {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{table}_changelist")}
        for name, icon, table in pages
    ]
    return {"title": title, "items": items}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Speech operations",
    "SITE_HEADER": "Speech operations",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": "/console",
    "DASHBOARD_CALLBACK": "operations.overview.fill",
    "SHOW_HISTORY": False,
    "STYLES": [lambda request: static("operations/operations.css")],
    "COLORS": {"primary": _RUST},
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                    {"title": "Reports", "icon": "table_chart", "link": reverse_lazy("admin:reports")},
                ]
            },
            _group(
                "Customers",
                ("Organizations", "apartment", "accounts_organization"),
                ("Accounts", "account_balance_wallet", "billing_account"),
                ("API keys", "key", "accounts_apikey"),
                ("People", "group", "accounts_user"),
                ("Deliveries", "notifications", "webhooks_delivery"),
                ("Customer activity", "history", "accounts_auditevent"),
                ("Support access", "visibility", "accounts_visit"),
                ("Announcements", "campaign", "console_announcement"),
            ),
            _group(
                "Requests",
                ("Jobs", "graphic_eq", "inference_synthesisjob"),
                ("Request log", "list", "usage_requestlog"),
            ),
            _group(
                "Money",
                ("Ledger", "menu_book", "billing_ledgertransaction"),
                ("Usage", "timer", "billing_usagerecord"),
                ("Holds", "lock_clock", "billing_reservation"),
                ("Prices", "sell", "billing_price"),
                ("Invoices", "receipt_long", "billing_invoice"),
                ("Credit notes", "assignment_return", "billing_creditnote"),
                ("Ledger verifications", "verified", "billing_verification"),
                ("Money approvals", "group_add", "operations_moneyact"),
                ("Operator activity", "history_edu", "billing_operatoract"),
            ),
            _group(
                "Stripe",
                ("Payments", "credit_card", "billing_stripepayment"),
                ("Calls to Stripe", "outbox", "billing_stripecall"),
                ("Events", "inbox", "billing_stripeevent"),
                ("Deliveries", "local_shipping", "billing_stripedelivery"),
                ("Differences", "difference", "billing_stripedifference"),
            ),
        ]
    },
}
