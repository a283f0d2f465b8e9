"""POST /stripe/webhook: where Stripe tells its events (https://docs.stripe.com/webhooks)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.stripe import client, webhooks


@csrf_exempt  # no browser sends these: the signature is what counts
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """204 once the event is ours to keep; its effect comes after. What is not Stripe's is refused."""
    if not client.is_configured():
        return HttpResponse(status=404)
    body = request.read(webhooks.MAX_BODY_BYTES + 1)
    if len(body) > webhooks.MAX_BODY_BYTES:
        return HttpResponse("The body is too large.", status=413, content_type="text/plain")
    if not webhooks.receive(body=body, signature=request.headers.get("Stripe-Signature", "")):
        return HttpResponse("The signature is not Stripe's.", status=400, content_type="text/plain")
    return HttpResponse(status=204)
