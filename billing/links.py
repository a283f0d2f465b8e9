"""Links in e-mails to the pages where something can be done. The pages are the console's, which is not imported
here; `tests/console/test_links.py` opens each.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.conf import settings

Page = Literal["billing", "billing/payment", "alerts"]


def console(organization_id: UUID, page: Page) -> str:
    return f"{settings.ENVIRONMENT.origin}/console/org_{organization_id.hex}/{page}"
