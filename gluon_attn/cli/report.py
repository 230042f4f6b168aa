"""`gluon-attn report`: several runs on one HTML page."""

from ..utils.table import render

#: heading of a panel -> what it shows of each epoch
PANELS = {
    "training loss": "train_loss",
    "test loss": "val_loss",
    "test accuracy, top-1": "val_accuracy",
    "test accuracy, top-5": "val_top5",
    "learning rate": "lr",
    "images a second": "images_per_second",
}


def add_arguments(parser):
    """Flags of `gluon-attn report`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folder, such as runs/NAME")
    parser.add_argument(
        "--output", metavar="FILE", default="report.html", help="page to write (default report.html); a single file"
    )


def run(args):
    """Write the page, and print its table of scores."""
    from ..analyze.plots import compare_histories
    from ..analyze.report import write_report
    from ..analyze.run_history import best_run, differences, read_runs, scores

    runs = read_runs(args.runs)
    header, rows = scores(runs)
    options = differences(runs)
    write_report(
        args.output,
        title=runs[0].name if len(runs) == 1 else f"{len(runs)} training runs",
        summary="Scores are those of the epoch with the best test accuracy (top-1). img/s is the median over the "
        "epochs, evaluation left out.",
        header=header,
        rows=rows,
        marked=best_run(runs) if len(runs) > 1 else None,
        figure=compare_histories({one.name: one.history for one in runs}, PANELS),
        tables=[("Options that differ", *options)] if options[1] else [],
    )
    print(render(header, rows))
    print(f"curves and options that differ: {args.output}")
    return 0
