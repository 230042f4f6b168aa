"""One image through a network of ours and the same network of another library."""

_SHOWN = 5


def read_for(path, net, card=None):
    """An image file as a network takes it: (1,3,H,W) float32, normalised. card: the network's, if it has one."""
    from ..config.card import Card
    from ..data.image_file import read_image
    from ..data.transforms import normalize
    from ..models.factory import model_info

    side = model_info(net.recipe["model"]).input_size
    card = card or Card(input_shape=(3, side, side))
    return normalize(read_image(path, *card.input_shape[1:])[None], card.mean, card.std)


def compare(net, path, image, library):
    """Print the best classes of a network and of its counterpart in `library` with the weights of file `path`."""
    import mxnet as mx
    import numpy as np

    from ..convert.counterpart import counterpart

    ours = net(mx.nd.array(image)).asnumpy()
    print(f"ours    {_best(ours)}")
    made = counterpart(net, library)
    if made is None:
        print(f"theirs  not compared: no package has this network of {library}")
        return
    theirs = made.logits(path, image)
    if theirs is None:
        print(f"theirs  not compared: {library} is not installed")
        return
    print(f"theirs  {_best(theirs)}, by {made}")
    print(f"largest difference {np.abs(ours - theirs).max() / np.abs(theirs).max():.1e} of the largest logit")


def _best(logits):
    from ..deploy.evaluate import probabilities, top

    shares = probabilities(logits)[0]
    return ", ".join(f"class {i} {shares[i]:.1%}" for i in top(logits, _SHOWN)[0])
