"""The console's routes. Every one below `organization` goes through `console.access.member_view`."""

from __future__ import annotations

from django.urls import include, path

from console import converters
from console.views import (
    activity,
    alerts,
    announcements,
    billing,
    deletion,
    home,
    keys,
    members,
    payment_settings,
    payments,
    playground,
    reference,
    requests,
    sessions,
    start,
    usage,
)

converters.register()

of_an_organization = [
    path("", start.overview, name="overview"),
    path("start", start.start, name="start"),
    path("start/check", start.check, name="start_check"),
    path("playground", playground.show, name="playground"),
    path("playground/key", playground.lend_key, name="playground_key"),
    path("playground/history", playground.history, name="playground_history"),
    path("usage", usage.show, name="usage"),
    path("usage.csv", usage.export, name="usage_csv"),
    path("requests", requests.search, name="requests"),
    path("requests/<request:request_id>", requests.show, name="request"),
    path("requests/<request:request_id>/audio", requests.audio, name="request_audio"),
    path("keys", keys.show_all, name="keys"),
    path("keys/new", keys.create, name="key_new"),
    path("keys/<key:public_id>", keys.show, name="key"),
    path("keys/<key:public_id>/rotate", keys.rotate, name="key_rotate"),
    path("keys/<key:public_id>/revoke", keys.revoke, name="key_revoke"),
    path("billing", billing.show, name="billing"),
    path("billing/movements.csv", billing.movements_csv, name="movements_csv"),
    path("billing/statement.csv", billing.statement, name="statement"),
    path("billing/budgets", billing.set_budgets, name="budgets"),
    path("billing/top-up", payments.top_up, name="top_up"),
    path("billing/payment", payment_settings.show, name="payment"),
    path("billing/card", payment_settings.save_card, name="save_card"),
    path("billing/recharge", payment_settings.put_recharge, name="recharge"),
    path("billing/recharge/stop", payment_settings.stop_recharge, name="recharge_stop"),
    path("billing/details", payment_settings.put_details, name="details"),
    path("billing/redeem", payments.redeem, name="redeem"),
    path("billing/invoices/<uuid:invoice_id>.<slug:kind>", payments.invoice, name="invoice"),
    path("alerts", alerts.show, name="alerts"),
    path("alerts/rules", alerts.put_rules, name="alert_rules"),
    path("alerts/webhooks", alerts.add_webhook, name="webhook_add"),
    path("alerts/webhooks/<uuid:endpoint_id>/secret", alerts.rotate_webhook, name="webhook_rotate"),
    path("alerts/webhooks/<uuid:endpoint_id>/remove", alerts.remove_webhook, name="webhook_remove"),
    path("alerts/webhooks/<uuid:endpoint_id>/test", alerts.test_webhook, name="webhook_test"),
    path("alerts/messages/<uuid:delivery_id>/again", alerts.deliver_again, name="delivery_again"),
    path("members", members.show, name="members"),
    path("members/invite", members.invite, name="invite"),
    path("members/invitations/<invitation:invitation_id>/withdraw", members.withdraw, name="withdraw"),
    path("members/<int:user_id>/role", members.change_role, name="member_role"),
    path("members/<int:user_id>/remove", members.remove, name="member_remove"),
    path("members/<int:user_id>/transfer", members.transfer, name="transfer"),
    path("leave", members.leave, name="leave"),
    path("settings", members.rename, name="settings"),
    path("settings/audio", members.keep_audio, name="retention"),
    path("delete", deletion.organization, name="organization_delete"),
    path("activity", activity.show, name="activity"),
]

urlpatterns = [
    path("", home.landing, name="home"),
    path("reference", reference.show, name="reference"),
    path("console", home.console, name="console"),
    path("console/organizations/new", home.new_organization, name="organization_new"),
    path("console/account/delete", deletion.account, name="account_delete"),
    path("console/<organization:organization>/", include(of_an_organization)),
    path("accounts/sessions/<int:session_id>/end", sessions.end, name="session_end"),
    path("announcements/<uuid:announcement_id>/dismiss", announcements.dismiss, name="announcement_dismiss"),
    path("invitations/<str:token>", home.invitation, name="invitation"),
    path("console/invitations/<invitation:invitation_id>/accept", home.accept, name="accept"),
]
