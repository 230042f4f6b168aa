"""Random numbers in the shape of a data set."""

import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.data.fake import build_fake
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize(
    ("options", "classes", "size"),
    [
        ({"dataset": "cifar100"}, 100, 32),
        ({"dataset": "digits"}, 10, 32),
        ({"dataset": "synthetic", "classes": 4, "input_size": 16}, 4, 16),
        ({"dataset": "imagenet_rec", "data_dir": "nowhere"}, 1000, 224),
        ({"dataset": "imagenet_folder", "input_size": 64}, 1000, 64),
    ],
)
def test_the_shape_is_the_data_sets_and_no_file_is_opened(options, classes, size):
    data = build_fake(DataConfig(batch_size=3, **options), 1, 2, 5)
    assert (data.classes, data.input_shape) == (classes, (3, size, size))
    (images, labels), *_ = data.train.epoch(1)
    assert images.shape == (6, 3, size, size)
    assert labels.shape == (6,)
    assert 0 <= labels.min().asscalar() <= labels.max().asscalar() < classes


def test_epochs_repeat_one_batch():
    data = build_fake(DataConfig(dataset="digits", batch_size=2), 1, 1, 5)
    assert len(data.train) == 5
    assert [len(list(data.train.epoch(number))) for number in range(3)] == [2, 5, 5]
    assert len({id(images) for images, _ in data.train.epoch(1)}) == 1
    assert list(data.val.epoch(0)) == []
    again = build_fake(DataConfig(dataset="digits", batch_size=2), 1, 1, 5)
    assert (next(again.train.epoch(0))[0] == next(data.train.epoch(0))[0]).min().asscalar()


def test_an_unknown_set_has_no_shape():
    with pytest.raises(UserError, match="unknown dataset 'digit'; did you mean digits"):
        build_fake(DataConfig(dataset="digit"), 1, 1, 5)
