"""What a browser is called in the list of devices."""

import re

from django.utils.translation import gettext as _

# The order matters: Edge and Samsung's browser call themselves Chrome too, Chrome calls itself
# Safari, Android calls itself Linux.
_BROWSERS = (
    ("Edge", r"Edg"),
    ("Samsung Internet", r"SamsungBrowser"),
    ("Opera", r"OPR|Opera"),
    ("UC Browser", r"UCBrowser"),
    ("Firefox", r"Firefox|FxiOS"),
    ("Chrome", r"Chrome|CriOS"),
    ("Safari", r"Safari"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("KaiOS", r"KAIOS"),
    ("Windows", r"Windows"),
    ("Mac", r"Macintosh"),
    ("Linux", r"Linux"),
)


def device_name(user_agent: str) -> str:
    """Return a short name like `Chrome, Android`; not enough to recognise a phone."""
    start = user_agent[:500]
    names = [
        next((name for name, pattern in table if re.search(pattern, start)), None)
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in names if name) or _("Unknown device")
