"""Any text or audio classification set of the Hugging Face hub, by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SPLITS, SourceOptions, suggest
from gatewise.data.sources import _documents, _labels, _repository, _sounds, _tables
from gatewise.data.sources._documents import Document
from gatewise.data.sources._sounds import Sound
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from datasets import Dataset

    from gatewise.data.sources import audio_folder


class Source(SourceOptions):
    """A data set as the `datasets` package loads it (`pip install 'gatewise[hub]'`).

    Sounds are decoded by preparation, as all are. A set whose sounds are single files (in folders
    of labels, or listed in a `metadata.csv`) is read as `audio-folder` reads it. Works from the
    package's cache when there is no network, and on a local folder that `datasets.load_dataset`
    understands.
    """

    card: ClassVar[SourceCard] = SourceCard(
        payload="text", title="A Hugging Face data set", licence="see the data set's page"
    )
    size: ClassVar[str] = "any"
    needs: ClassVar[str] = "the extra `hub`; the network once, or the cache of `datasets`"

    kind: Literal["hub"]
    name: str
    """Name on the hub, e.g. `stanfordnlp/sst2`, or a local folder."""
    subset: str | None = None
    """Configuration of the data set."""
    revision: str | None = None
    """Commit; give one, because the owner may change the data."""
    text: str | None = None
    """Column of the text; give this or `audio`."""
    audio: str | None = None
    """Column of the sound."""
    label: str = "label"
    """Column of the label."""
    group: str | None = None
    """Column of what must not cross splits."""
    splits: dict[Literal["train", "validation", "test"], str] | None = None
    """Names of the published splits to use; left out: train, validation and test as far as
    they exist. `{train: train}` alone leaves the division to `split`."""
    licence: str = "see the data set's page"

    @model_validator(mode="after")
    def _one_payload(self) -> Source:
        if (self.text is None) == (self.audio is None):
            raise ValueError("give either text or audio: the column that is classified")
        return self

    def reads(self) -> list[Path]:
        """The local folder, if it is one."""
        return [Path(self.name)] if Path(self.name).is_dir() else []

    def fetch(self, target: Path) -> None:
        """Write texts or sound files into `target`; local sound files are used in place."""
        if self.audio is not None and self._as_files(target):
            return
        parts = self._load()
        if self.text is not None:
            documents = _labels.stream(self._documents(parts, self.text), self.name)
            examples = _documents.write(target, documents)
        else:
            examples = list(self._stored(target, parts, str(self.audio)))
        manifest.write(target, self._card(), examples)

    def _as_files(self, target: Path) -> bool:
        """Fetch a set that is stored as single sound files; false where it is not.

        `datasets` needs torchcodec for such, so they are taken file by file.
        """
        local = Path(self.name)
        folder = local
        if not local.is_dir():
            downloaded = _repository.sounds(self.name, self.revision)
            if downloaded is None:
                return False
            folder = downloaded
        elif _repository.has_arrow(path.name for path in local.rglob("*.*")):
            return False
        if self.subset or self.splits:
            raise GatewiseError(
                f"{self.name}: a folder of sound files has no subset and names its splits by its "
                "folders; leave subset and splits out"
            )
        source = self._as_folder(folder)
        if local.is_dir():
            source.fetch(target)
        else:  # out of a cache that may be emptied
            card = self._card().model_copy(update={"skipped": source.listed()[2]})
            manifest.write(target, card, _repository.copied(source, target))
        return True

    def _as_folder(self, folder: Path) -> audio_folder.Source:
        from gatewise.data.sources import audio_folder

        columns = {"label": self.label} | ({"group": self.group} if self.group else {})
        return audio_folder.Source.model_validate(
            {
                "kind": "audio-folder",
                "path": str(folder),
                "columns": columns,
                "title": f"{self.name}, a folder of sound files",
                "licence": self.licence,
            }
        )

    def _card(self) -> SourceCard:
        return self.card.model_copy(
            update={
                "payload": "text" if self.text else "audio",
                "title": f"{self.name} from the Hugging Face hub",
                "licence": self.licence,
                "homepage": f"https://huggingface.co/datasets/{self.name}",
            }
        )

    def _load(self) -> dict[str, Dataset]:
        """The data of each split that is used; '' where it is the only one."""
        try:
            import datasets
        except ImportError:
            raise GatewiseError(
                "the source hub needs the package datasets: pip install 'gatewise[hub]'"
            ) from None
        try:
            loaded = datasets.load_dataset(self.name, self.subset, revision=self.revision)
        except Exception as error:  # the package raises a dozen kinds, its hub client as many
            cause = error.__cause__ or error
            line = "".join(str(cause).strip().splitlines()[:1])
            raise GatewiseError(
                f"{self.name}: datasets cannot load it ({type(cause).__name__}: {line}); check "
                "the name, the subset and the network (a set that is stored as single sound files "
                "has its bytes under revision: refs/convert/parquet)"
            ) from None
        wanted = {str(ours): theirs for ours, theirs in (self.splits or {}).items()}
        wanted = wanted or {ours: ours for ours in SPLITS if ours in loaded}
        if not wanted:
            raise GatewiseError(f"{self.name}: name its splits under splits: {', '.join(loaded)}")
        for theirs in wanted.values():
            if theirs not in loaded:
                raise GatewiseError(f"{self.name}: no split {theirs!r}{suggest(theirs, loaded)}")
        alone = len(wanted) == 1
        parts = {"" if alone else ours: loaded[theirs] for ours, theirs in wanted.items()}
        for column in filter(None, (self.text, self.audio, self.label, self.group)):
            for part in parts.values():
                if column not in part.column_names:
                    raise GatewiseError(
                        f"{self.name}: no column {column!r}{suggest(column, part.column_names)}"
                    )
        if self.audio is not None:  # bytes as they are: decoding is preparation's
            undecoded = datasets.Audio(decode=False)
            parts = {k: part.cast_column(self.audio, undecoded) for k, part in parts.items()}
        return parts

    def _documents(self, parts: dict[str, Dataset], column: str) -> Iterator[Document]:
        for name, row, facts in self._rows(parts):
            yield Document(name, row[column] or "", **facts)

    def _stored(self, target: Path, parts: dict[str, Dataset], column: str) -> Iterator[Example]:
        """Write each sound file, undecoded, and give its manifest row."""
        recordings: list[dict[str, Any]] = []  # the one that is being written

        def listed() -> Iterator[Sound]:
            for name, row, facts in self._rows(parts):
                recordings[:] = [row[column]]
                suffix = Path(row[column]["path"] or "clip.wav").suffix or ".wav"
                yield Sound(f"{name}{suffix}", **facts)

        for sound in _labels.stream(listed(), self.name):
            yield _store(target, recordings[0], sound)

    def _rows(
        self, parts: dict[str, Dataset]
    ) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
        """Name of each row, the row, and its `label`, `split` and perhaps `group`."""
        for split, part in parts.items():
            names = getattr(part.features[self.label], "names", None)
            for number, row in enumerate(part):
                name = f"{split or 'row'}-{number}"
                value = row[self.label]
                if value is None or (names and not 0 <= value < len(names)):
                    raise GatewiseError(
                        f"{self.name}, {split or 'row'} {number}: no label; is this split "
                        "published unlabelled?"
                    )
                label = names[value] if names else self._plain(row, self.label, split, number)
                facts = {"label": label, "split": split}
                if self.group is not None:
                    facts["group"] = self._plain(row, self.group, split, number)
                yield name, row, facts

    def _plain(self, row: dict[str, Any], column: str, split: str, number: int) -> str:
        """A cell as text, which is neither missing nor a list."""
        where = f"{self.name}, {split or 'row'} {number}"
        text = _tables.text(row[column], column, where)
        if not text.strip():
            raise GatewiseError(f"{where}: column {column!r} is empty")
        return text


def _store(target: Path, recording: dict[str, Any], sound: Sound) -> Example:
    """Write one sound file, undecoded, and return its manifest row."""
    data = recording["bytes"]
    path = target / sound.path
    path.write_bytes(Path(recording["path"]).read_bytes() if data is None else data)
    return replace(_sounds.example(target, sound), id=path.stem)
