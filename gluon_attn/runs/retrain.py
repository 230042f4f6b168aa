"""Short trainings of found networks, to tell which is best; the images are those of the search."""


def retrain(config, genotype, backend, seed):
    """Validation accuracy of a genotype's network after `retrain_epochs` epochs from scratch.

    Trained on the images that the search's weights learnt from, tested on the others; no drop-path, no auxiliary head.
    """
    import mxnet as mx

    from ..config.train import RunConfig
    from ..data.factory import build_search
    from ..engine.devices import contexts
    from ..engine.trainer import Trainer
    from ..search.darts.methods import METHODS
    from ..utils.seed import seed_all

    devices = contexts(config.train.gpus, config.train.num_gpus, backend)
    data, _ = build_search(
        config.data, seed, config.search.train_portion, len(devices), backend.rank, backend.size
    )  # fmt: skip
    train = config.train.replace(num_epochs=config.search.retrain_epochs, seed=seed)
    seed_all(seed)
    net = METHODS[config.kind](config).network(genotype, data.classes, data.input_shape[1])
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    run = RunConfig(data=config.data, optim=config.optim, train=train)
    return Trainer(net, run, devices, data.train, data.val, (), backend).fit()["val_accuracy"]
