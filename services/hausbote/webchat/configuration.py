"""What Converse.js is told at its start; the rest is in page/chat.js, which says why."""

from typing import Any, Final
from urllib.parse import urlsplit

from hausbote.base.settings import Settings

_BOSH: Final = "/http-bind"
_WEBSOCKET: Final = "/xmpp-websocket"


def converse_settings(settings: Settings, local: str, language: str, assets: str) -> dict[str, Any]:
    """For the account `local`, in a language of ours; `assets` is the path of Converse.js's files.

    What it would fetch from elsewhere is turned off: lists of providers, players of other sites,
    and pictures that are not on this box (a link to them is shown instead).  Rooms are looked for
    here, and not at a service that knows those of many servers.
    """
    uploads = [urlsplit(settings.upload_url).hostname] if settings.has_upload else []
    web = settings.web_url
    return {
        "jid": f"{local}@{settings.domain}",
        "locked_domain": settings.domain,
        "websocket_url": "wss" + web.removeprefix("https") + _WEBSOCKET,
        "bosh_service_url": web + _BOSH,
        "muc_domain": settings.names.rooms,
        "assets_path": assets,
        "i18n": language,
        "locales": ["de", "en"],
        "notification_icon": f"{assets}/images/logo/conversejs-filled.svg",
        "sounds_path": f"{assets}/sounds/",
        "render_media": uploads,
        "allowed_image_domains": uploads,
        "allowed_audio_domains": uploads,
        "allowed_video_domains": uploads,
        "embed_3rd_party_media_players": False,
        "fetch_url_headers": False,
        "muc_search_service": settings.names.rooms,
        "autocomplete_providers_url": "",
        "xmpp_providers_url": "",
    }
