"""The colours of the pages: one palette, two lights. ``tests/unit/test_site.py`` checks every pair that meets.

Nothing is said by colour alone: tiers carry their number, changes their arrow, flags their words.
"""

from __future__ import annotations

# token: (light, dark)
TOKENS: dict[str, tuple[str, str]] = {
    "ground": ("#f4f6f7", "#0f1519"),
    "surface": ("#ffffff", "#172026"),
    "raised": ("#eaf0f2", "#202c33"),
    "ink": ("#142127", "#e4ebee"),
    "muted": ("#4d5d66", "#a5b4bc"),
    "line": ("#d3dce0", "#2f3d45"),
    "control": ("#7a8a92", "#73858f"),
    "accent": ("#0a5c6b", "#6fcadb"),
    "accent-soft": ("#b9d9df", "#23525d"),
    "on-accent": ("#ffffff", "#0b2026"),
    "seal": ("#9c2a24", "#f0968c"),
    "notice": ("#fbe9b7", "#4a3a0c"),
    "on-notice": ("#3d2d00", "#fbe6ae"),
}

# (foreground, background, least ratio): 4.5 for text, 3 for marks and borders of controls (WCAG 2.2, 1.4.3 and 1.4.11).
PAIRS: tuple[tuple[str, str, float], ...] = (
    *((text, ground, 4.5) for text in ("ink", "muted", "accent", "seal") for ground in ("ground", "surface", "raised")),
    ("on-accent", "accent", 4.5),
    ("on-notice", "notice", 4.5),
    *((mark, ground, 3.0) for mark in ("control", "accent") for ground in ("ground", "surface")),
    ("accent", "accent-soft", 3.0),
    ("ink", "accent-soft", 4.5),
)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
