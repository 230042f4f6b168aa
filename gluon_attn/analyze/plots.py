"""Pictures of numbers, with matplotlib."""

from ..utils.files import atomic_path


def draw_history(history, path):
    """Loss and accuracy over the epochs of a run, training against test, as a PNG at `path`.

    history: the records of `Trainer.history`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    epochs = [record["epoch"] for record in history]
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, label in (("train", "training"), ("val", "test")):
            axes.plot(epochs, [record[f"{part}_{what}"] for record in history], marker=".", label=label)
        axes.set(xlabel="epoch", ylabel=what)
        axes.grid(alpha=0.3)
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
    with atomic_path(path) as staged:
        canvas.print_png(str(staged))
