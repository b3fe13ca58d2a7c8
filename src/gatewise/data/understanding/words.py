"""What people call things: names of columns by their role, as a hint beside their content."""

from __future__ import annotations

import re

from gatewise.data.sources._pair_files import SOURCES, TARGETS

TEXT = (
    *("text", "sentence", "review", "comment", "tweet", "message", "content", "body", "question"),
    *("utterance", "query", "document", "headline", "title", "description", "phrase", "abstract"),
    *("post", "sms", "input", "transcript", "transcription", "reviewtext", "sentencetext", "email"),
    *("string", "texts", "sentences", "sequence", "raw", "summary", "answer"),
    *("caption", "captions"),
)
LABEL = (
    *("label", "class", "category", "intent", "target", "sentiment", "tag", "topic", "emotion"),
    *("y", "labels", "classlabel", "labelname", "labeltext", "command", "word", "gold", "output"),
    *("genre", "type", "verdict", "polarity", "stars", "rating", "score", "digit", "species"),
)
GROUP = (
    *("group", "speaker", "user", "author", "client", "subject", "participant", "patient"),
    *("session", "film", "movie", "moviename", "document", "doc", "source", "device", "thread"),
    *("conversation", "dialogue", "person", "customer", "reviewer", "actor", "singer", "product"),
    *("username", "speakername", "authorname", "station", "company", "site", "business", "store"),
    *("restaurant", "account", "channel", "video", "article", "book", "song", "artist", "host"),
)
VAGUE = ("type", "score", "source", "set", "title", "word", "y", "raw", "input", "output", "rating")
"""Say little at the end of a longer name: `file_type`, `data_source`."""
SPLIT = ("split", "set", "subset", "partition", "fold", "dataset")
PATH = ("path", "file", "filename", "filepath", "audio", "wav", "clip", "sound", "recording")

TIME = (
    *("time", "date", "ds", "month", "year", "week", "day", "timestamp", "datetime", "t", "step"),
    *("period", "quarter", "hour", "minute", "when"),
)
VALUE = (
    *("value", "y", "target", "sales", "demand", "count", "quantity", "amount", "visitors", "load"),
    *("consumption", "measurement", "reading"),
)
SERIES = (
    *("id", "series", "seriesid", "unique", "uniqueid", "item", "name", "sku", "sensor", "key"),
    *("country", "region", "city", "symbol", "ticker"),
)
SPELLED = ("word", "spelling", "grapheme", "graphemes", "letters")
SPOKEN = ("pronunciation", "phonemes", "phones", "ipa", "arpabet")
"""Sides of pairs that need no spaces to be texts."""
LANGUAGES = (
    *(
        "ar",
        "bg",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "fi",
        "fr",
        "he",
        "hi",
        "hr",
        "hu",
        "it",
    ),
    *("ja", "ko", "lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr"),
    *(
        "uk",
        "vi",
        "zh",
        "english",
        "spanish",
        "french",
        "german",
        "italian",
        "portuguese",
        "chinese",
    ),
    *("japanese", "russian", "arabic", "dutch", "polish"),
)


def plain(name: str) -> str:
    """A column's name without case, spacing and a trailing `id`."""
    bare = re.sub(r"[^a-z0-9]", "", name.casefold())
    return re.sub(r"(?<=[a-z]{3})(id|no)$", "", bare)


def means(name: str, role: tuple[str, ...]) -> bool:
    """Whether a column of this name usually has the role: `label`, `Speaker_ID`, `reviewText`."""
    if plain(name) in role:
        return True
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    told = [part.casefold() for part in parts if part.casefold() not in ("id", "name", "no")]
    return len(parts) > 1 and bool(told) and told[-1] in role and told[-1] not in VAGUE


def is_column_name(name: str) -> bool:
    """Whether this is a usual name of a column of some role."""
    common = ("id", "index", "idx", "row", "date", "time", "timestamp", "lang", "language")
    sides = (*SOURCES, *TARGETS, *SPELLED, *SPOKEN, *LANGUAGES)
    return plain(name) in (*TEXT, *LABEL, *GROUP, *SPLIT, *PATH, *TIME, *VALUE, *sides, *common)
