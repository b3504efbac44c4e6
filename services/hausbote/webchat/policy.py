"""What the browser may do for the page, as narrow as Converse.js can live with."""

from typing import Final

from hausbote.base.settings import Settings

Header = tuple[str, str]

_EVERYWHERE: Final[tuple[Header, ...]] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_OTHER_HEADERS: Final[tuple[Header, ...]] = (
    ("Cross-Origin-Opener-Policy", "same-origin"),
    # Converse.js can send where one is, if one asks it to; that is one's own to decide.
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(self), payment=(), usb=()"),
)
_EMPTY_STYLES: Final = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-JRf3eZJIF59VkE1tlxlBPiCQXjGJ1uE88pEYh49RtTY='",
)


def headers_of_assets() -> tuple[Header, ...]:
    """None of them is a page, and if one is shown as such, it can do nothing."""
    return (*_EVERYWHERE, ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))


def headers_of_page(settings: Settings) -> tuple[Header, ...]:
    """Of the page itself, with its content security policy."""
    return (*_EVERYWHERE, *_OTHER_HEADERS, ("Content-Security-Policy", content_policy(settings)))


def content_policy(settings: Settings) -> str:
    """No page, script, style or connection but the box's own.

    - `wasm-unsafe-eval`: OMEMO's arithmetic is WebAssembly.  No text is run as a script.
    - `style-src` has hashes of what is left of the style sheets in Converse.js's scripts: nothing,
      and a comment.
    - `style-src-attr`: Converse.js colours names and sizes boxes by attributes.  No style sheet
      and no script can be written into the page.
    - `data:` and `blob:` pictures: avatars, and files that were decrypted in the browser.
    - uploads are on another name or port of the box.
    """
    uploads = settings.upload_url if settings.has_upload else ""
    web = settings.web_url
    sources = {
        "default-src": ("'none'",),
        "script-src": ("'self'", "'wasm-unsafe-eval'"),
        "style-src": ("'self'", *_EMPTY_STYLES),
        "style-src-attr": ("'unsafe-inline'",),
        "img-src": ("'self'", "data:", "blob:", uploads),
        "media-src": ("'self'", "blob:", uploads),
        "font-src": ("'self'",),
        "connect-src": ("'self'", web, "wss" + web.removeprefix("https"), uploads),
        "base-uri": ("'none'",),
        "form-action": ("'none'",),
        "frame-ancestors": ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(filter(None, those))}" for name, those in sources.items())
