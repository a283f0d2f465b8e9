"""Routes in Django: the management API's, which `gateway.app` sends here, and Stripe's webhook."""

from __future__ import annotations

from django.urls import path

from gateway import stripe_webhook
from gateway.key_api import KeyView
from gateway.usage_api import UsageView
from gateway.voices_api import ConsentsView, ConsentView, VoicesView, VoiceView

urlpatterns = [
    path("stripe/webhook", stripe_webhook.receive),
    path("v1/key", KeyView.as_view()),
    path("v1/usage", UsageView.as_view()),
    path("v1/audio/voices", VoicesView.as_view()),
    path("v1/audio/voices/<str:voice_id>", VoiceView.as_view()),
    path("v1/audio/voice_consents", ConsentsView.as_view()),
    path("v1/audio/voice_consents/<str:consent_id>", ConsentView.as_view()),
]
