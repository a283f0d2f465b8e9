"""`python -m inference.training STAGE`: each stage reads what the ones before it left in the folder."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from inference.training.recipe import RECIPES
from inference.training.run import CHECKPOINT_SECONDS, Run


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=__doc__)
    stages = (
        *("import", "corpus", "codec", "larger", "distill", "recognise", "diffro", "align"),
        *("export", "evaluate", "voices", "listen"),
    )
    parser.add_argument("stage", choices=stages)
    parser.add_argument("--recipe", choices=RECIPES, default="cores", help="sizes; `gpu` trains on one")
    parser.add_argument("--folder", type=Path, default=Path("var/training"), help="of the whole training")
    parser.add_argument("--sources", type=Path, help="folder with sources.json; without it, own sentences alone")
    parser.add_argument("--out", type=Path, help="the checkpoint that `export` writes and others read")
    parser.add_argument("--sentences", type=int, default=300, help="that `evaluate` judges, or `voices` of each")
    parser.add_argument(
        "--dtype", choices=("auto", "float32", "bfloat16"), default="auto", help="`evaluate`'s engine"
    )
    parser.add_argument("--words-only", action="store_true", help="`evaluate`: leave out times and speed")
    parser.add_argument("--teacher", type=Path, help="`distill`: a larger checkpoint of the same kind")
    parser.add_argument("--compile", action="store_true", help="`distill`: faster steps; needs a C++ compiler")
    parser.add_argument(
        "--accumulation", type=int, default=1, help="`distill`: batches that a process makes of its part of a step"
    )
    networks = ("larger", "distill", "diffro", "align")
    parser.add_argument(
        "--of", choices=networks, default="distill", help="`export`: the stage whose network it is"
    )
    parser.add_argument("--hours", type=float, help="stop after so long; the stage can be gone on with")
    parser.add_argument(
        "--within", type=float, help="hours in which the stage must be done: its rates fall by then"
    )
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=CHECKPOINT_SECONDS, help="between two checkpoints"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=0, help="that speak the corpus, or prepare batches")
    options = parser.parse_args(arguments)
    recipe = RECIPES[options.recipe]
    run = Run(
        options.folder,
        options.stage,
        hours=options.hours,
        within=options.within,
        seed=options.seed,
        processes=options.processes,
        device=recipe.device,
        checkpoint_seconds=options.checkpoint_seconds,
    )
    run.obey_signals()
    torch.set_num_threads(options.threads)
    checkpoint = options.out or options.folder / "checkpoint"
    match options.stage:
        case "import":
            from inference.training import importing

            importing.read(run, checkpoint)
        case "corpus":
            from inference.training import corpus

            corpus.make(run, recipe, sources=options.sources)
        case "codec":
            from inference.training import codec

            codec.train(run, recipe)
        case "larger":
            from inference.training import distill

            distill.train(run, replace(recipe, student=recipe.larger), compiled=options.compile)
        case "distill":
            from inference.training import distill

            distill.train(
                run,
                recipe,
                larger=options.teacher,
                compiled=options.compile,
                accumulation=options.accumulation,
            )
        case "recognise":
            from inference.training import phoneme_recogniser

            phoneme_recogniser.train(run, recipe)
        case "diffro":
            from inference.training import diffro

            diffro.train(run, recipe)
        case "align":
            from inference.training import align
            from inference.training.judges import Judges

            align.train(run, recipe, Judges().judge)
        case "evaluate":
            from inference.training import evaluate

            evaluate.evaluate(
                run,
                recipe,
                checkpoint=checkpoint,
                sentences=options.sentences,
                dtype=options.dtype,
                measure_speed=not options.words_only,
            )
        case "export":
            from inference.training import export

            export.write(run, recipe, checkpoint, stage=options.of)
        case "voices":
            from inference.training import voices

            voices.measure(run, checkpoint, sentences=options.sentences)
        case "listen":
            from inference.training import listening

            listening.write(run, checkpoint, options.folder / "listening")


if __name__ == "__main__":
    main()
