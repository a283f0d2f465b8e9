"""POST /stripe/webhook: where Stripe tells its events (https://docs.stripe.com/webhooks)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from billing.stripe import client, webhooks

FORGED = Counter("speech_stripe_forged_deliveries", "Calls of the webhook that are not Stripe's.")


@csrf_exempt  # no browser sends these: the signature is what counts
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """204 once the event is ours to keep; its effect comes after. What is not Stripe's is refused."""
    if not client.is_configured():
        return HttpResponse(status=404)
    if not webhooks.receive(body=request.body, signature=request.headers.get("Stripe-Signature", "")):
        FORGED.inc()
        return HttpResponse("The signature is not Stripe's.", status=400, content_type="text/plain")
    return HttpResponse(status=204)
