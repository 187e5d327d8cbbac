"""All pages."""

from __future__ import annotations

from fastapi import APIRouter

from forgeyard.web.pages import builds, channels, feedstocks, overview, reference, sign_in

router = APIRouter(include_in_schema=False)
for module in (overview, builds, feedstocks, channels, sign_in, reference):
    router.include_router(module.router)
