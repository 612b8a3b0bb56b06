"""`famaug labels`: what a data set's table says of its clips, and questions with answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "labels",
        epilog="Example: famaug labels casme2 data/CASME2 --out labels.jsonl "
        "--questions questions.jsonl",
    )(labels_command)


def labels_command(
    reader: Annotated[
        str, typer.Argument(help="Data set: casme2, samm, ..., ClipFolder, or module:Class.")
    ],
    root: Annotated[Path, typer.Argument(help="Its folder.")],
    out: Annotated[Path, typer.Option(help="File to write (.jsonl), one clip a line.")],
    questions: Annotated[
        Path | None,
        typer.Option(help="Also write questions and answers on the clips (.jsonl)."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="A further argument of the reader, as clip=raw; may be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written, write nothing.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write what a data set's table says of each clip: AUs, sides, strengths, onset, apex, offset
    and emotion; and questions on them with their answers. No pixel is read.

    What nobody annotated is not told. Synthetic clips: famaug cache export.
    """
    with terminal.typed():
        for name, path in (("--out", out), ("--questions", questions)):
            if path is not None and path.suffix != ".jsonl":
                raise UsageError(f"{name} must end in .jsonl; got {path}")
        if questions == out:
            raise UsageError(f"--out and --questions are two files; got {out} twice")
        given = options.named_values("--option", option)
    from famaug.data.labelling import labels_of_clips, write_labels, write_questions
    from famaug.data.protocols import refs_of
    from famaug.data.questions import questions_on_all
    from famaug.data.readers import open_named

    dataset = open_named(reader, root, given, "dataset")
    clips = labels_of_clips(dataset, root)
    coded = sum(truth.units is not None for truth, _ in clips)
    asked = sum(1 for _ in questions_on_all(clips))
    terminal.echo(f"{len(clips)} clips, {coded} with AUs that can be read; {asked} questions")
    if not dry_run:
        write_labels(clips, refs_of(dataset) or [], out)
        terminal.echo(f"wrote {out}")
    if questions is not None and not dry_run:
        write_questions(clips, questions)
        terminal.echo(f"wrote {questions}")
    figures = {"clips": len(clips), "with_aus": coded, "questions": asked}
    terminal.end(as_json, "labels", {**figures, "out": None if dry_run else str(out)})
