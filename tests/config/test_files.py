"""YAML files of options: read, written whole, laid over each other."""

import pytest
import yaml

from gluon_attn.config.files import merge, read_yaml, write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.utils.errors import UserError


def refused(path):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_round_trip(tmp_path):
    config = RunConfig.from_dict(
        {
            "data": {"dataset": "digits", "batch_size": 64},
            "model": {"model": "atac", "act_type": "ChaATAC", "blocks": 3, "use_relu": True},
            "optim": {"lr": 0.2, "lr_decay_epoch": "300,350"},
            "train": {"run_dir": "runs/größe", "gpus": "0,1"},
        }
    )
    write_yaml(tmp_path / "config.yaml", config)
    assert RunConfig.from_dict(read_yaml(tmp_path / "config.yaml")) == config
    assert "größe" in (tmp_path / "config.yaml").read_text(encoding="utf-8")


def test_numbers_as_people_write_them(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "optim: {lr: 1e-3, lr_decay_epoch: [3, 5], clip_grad: none}\nmodel: {model_options: {epsilon: 1e-5, b: 1}}\n"
    )
    config = RunConfig.from_dict(read_yaml(tmp_path / "c.yaml"))
    optim = config.optim
    assert config.model.model_options == {"epsilon": 1e-5, "b": 1}
    assert (optim.lr, optim.lr_decay_epoch, optim.clip_grad) == (1e-3, (3, 5), None)


def test_an_unknown_key_names_its_group(tmp_path):
    (tmp_path / "c.yaml").write_text("model: {modle: x}\n")
    with pytest.raises(UserError, match=r"unknown config key 'model.modle'; did you mean model"):
        RunConfig.from_dict(read_yaml(tmp_path / "c.yaml"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [1, 2", "is not valid YAML: "),
        (b"a: 1\n b: 2\n", "is not valid YAML: "),
        (b"a: \xff\xfe", "is not valid YAML: "),
        (b"a: !!python/object/apply:os.getcwd []", "is not valid YAML: "),
        (b"- 1\n- 2\n", "must hold a mapping of groups of options"),
        (b"text", "must hold a mapping of groups of options"),
        (b"", "must hold a mapping of groups of options"),
    ],
)
def test_broken_files(tmp_path, content, words):
    (tmp_path / "c.yaml").write_bytes(content)
    assert refused(tmp_path / "c.yaml").startswith(f"config {tmp_path / 'c.yaml'} {words}")


def test_missing_files(tmp_path):
    assert refused(tmp_path / "c.yaml") == f"cannot read config {tmp_path / 'c.yaml'}: No such file or directory"
    assert refused(tmp_path) == f"cannot read config {tmp_path}: Is a directory"


def test_merge_goes_group_by_group():
    base = {"optim": {"lr": 0.1, "wd": 0}, "data": {"dataset": "digits"}, "train": {}}
    changes = {"optim": {"lr": 0.2}, "model": {"r": 2}}
    merged = merge(base, changes)
    assert merged == {
        "optim": {"lr": 0.2, "wd": 0},
        "data": {"dataset": "digits"},
        "train": {},
        "model": {"r": 2},
    }
    assert base == {"optim": {"lr": 0.1, "wd": 0}, "data": {"dataset": "digits"}, "train": {}}
    assert changes == {"optim": {"lr": 0.2}, "model": {"r": 2}}


def test_merge_replaces_options_of_another_attention_whole():
    base = {"model": {"attention": "se", "attention_options": {"reduction": 8}}}
    merged = merge(base, {"model": {"attention": "eca", "attention_options": {"kernel_size": 3}}})
    assert merged["model"] == {"attention": "eca", "attention_options": {"kernel_size": 3}}


def test_the_file_is_readable_yaml(tmp_path):
    write_yaml(tmp_path / "c.yaml", RunConfig())
    assert list(yaml.safe_load((tmp_path / "c.yaml").read_text())) == ["data", "model", "optim", "distill", "train"]
