"""Train a small transformer on sonnets, tracked as the cs336 document shows.

python examples/cs336/training_together.py --wandb_run_name baseline
runfolio run examples/cs336/training_together.py
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

# numpy reads it when imported. Matrices as small as these only lose by threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from corpus import Corpus
from optimizer import AdamW, clip_gradients, cosine_lr
from transformer import TransformerLM

from runfolio.dialects.cs336.experiment_log import ExperimentConfig, ExperimentTracker

SHORT = bool(os.environ.get("EXAMPLE_SHORT"))


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; without words that of this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--wandb_run_name")
    add("--log_dir", default="experiment_logs")
    add("--d_model", type=int, default=16 if SHORT else 64)
    add("--num_heads", type=int, default=4)
    add("--num_layers", type=int, default=1 if SHORT else 2)
    add("--d_ff", type=int, default=32 if SHORT else 160)
    add("--context_length", type=int, default=16 if SHORT else 32)
    add("--batch_size", type=int, default=4 if SHORT else 16)
    add("--max_iters", type=int, default=30 if SHORT else 300)
    add("--max_learning_rate", type=float, default=1e-2)
    add("--min_learning_rate", type=float, default=1e-3)
    add("--warmup_iters", type=int, default=5 if SHORT else 30)
    add("--seed", type=int, default=42)
    add("--log_interval", type=int, default=5 if SHORT else 10)
    add("--eval_interval", type=int, default=10 if SHORT else 30)
    add("--eval_batches", type=int, default=2 if SHORT else 5)
    add("--sample", type=int, default=0, help="print so many characters that the model writes")
    add("--notes", default="")
    return parser.parse_args(words)


def train(args: argparse.Namespace) -> str:
    """Train one model; give the path of its log."""
    corpus, rng = Corpus(), np.random.default_rng(args.seed)
    config = ExperimentConfig(
        experiment_name=args.wandb_run_name or "default",
        d_model=args.d_model,
        num_heads=args.num_heads,
        num_layers=args.num_layers,
        d_ff=args.d_ff,
        vocab_size=corpus.vocab_size,
        context_length=args.context_length,
        batch_size=args.batch_size,
        max_iters=args.max_iters,
        max_learning_rate=args.max_learning_rate,
        min_learning_rate=args.min_learning_rate,
        warmup_iters=args.warmup_iters,
        seed=args.seed,
        device="cpu",
    )
    model = TransformerLM(
        config.vocab_size, config.context_length, config.d_model, config.num_layers, config.num_heads, config.d_ff,
        config.rope_theta, config.seed,
    )  # fmt: skip
    optimizer = AdamW(model.params, config.beta1, config.beta2, config.eps, config.weight_decay)
    tracker = ExperimentTracker(config, log_dir=args.log_dir)
    tracker.start()

    losses = {"train": float("nan"), "val": float("nan")}
    loss_sum = time_sum = 0.0
    for iter_num in range(config.max_iters):
        begin = time.perf_counter()
        lr = cosine_lr(
            iter_num, config.max_learning_rate, config.min_learning_rate, config.warmup_iters, config.max_iters
        )
        loss, grads = model.loss_and_grads(*corpus.batch("train", config.batch_size, config.context_length, rng))
        clip_gradients(grads, config.grad_clip)
        optimizer.step(grads, lr)
        tracker.increment_gradient_step()
        loss_sum, time_sum = loss_sum + loss, time_sum + time.perf_counter() - begin

        if (iter_num + 1) % args.log_interval == 0:
            avg_loss, avg_time = loss_sum / args.log_interval, time_sum / args.log_interval
            tracker.log_metrics(
                iteration=iter_num,
                train_loss=avg_loss,
                learning_rate=lr,
                tokens_per_sec=config.batch_size * config.context_length / avg_time,
                iter_time_ms=avg_time * 1000,
            )
            loss_sum = time_sum = 0.0

        if (iter_num + 1) % args.eval_interval == 0 or iter_num + 1 == config.max_iters:
            losses = estimate(model, corpus, config, args.eval_batches)
            tracker.log_eval(iteration=iter_num, train_loss=losses["train"], val_loss=losses["val"])

    tracker.finish(train_loss=losses["train"], val_loss=losses["val"], notes=args.notes)
    path = tracker.save()
    tracker.print_summary()
    if args.sample:
        print(write(model, corpus, config, args.sample, rng))
    return os.fspath(path)


def estimate(model: TransformerLM, corpus: Corpus, config: ExperimentConfig, batches: int) -> dict[str, float]:
    """Give the mean loss on both parts of the text, on the same batches each time."""
    rng = np.random.default_rng(0)
    size = (config.batch_size, config.context_length)
    return {
        part: float(np.mean([model.loss(*corpus.batch(part, *size, rng)) for _ in range(batches)]))
        for part in ("train", "val")
    }


def write(model: TransformerLM, corpus: Corpus, config: ExperimentConfig, length: int, rng: np.random.Generator) -> str:
    """Have the model go on from the first character of the text."""
    tokens = corpus.parts["train"][:1]
    for _ in range(length):
        scores = model.logits(tokens[None, -config.context_length :])[0][0, -1].astype("f8") / 0.8
        p = np.exp(scores - scores.max())
        tokens = np.append(tokens, rng.choice(len(p), p=p / p.sum()))
    return corpus.text(tokens)


if __name__ == "__main__":
    train(parse())
