from __future__ import annotations

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"

    def ready(self) -> None:
        from billing import checks, sealing
        from gateway.speech import settlement
        from inference import jobs

        jobs.settlement.register(settlement.settle)
        jobs.settling.register(settlement.settle_finished)
        jobs.holding.register(settlement.raise_hold)
        checks.register(settlement.JOBS_ARE_RECORDED)
        checks.register(settlement.RELAYED_AUDIO_IS_BILLED)
        sealing.register(settlement.may_bring_usage)
