"""EAN's controller, bonus and replay agree with the authors' code, step by step, on the choices that it made."""

import numpy as np
import pytest
from golden import read_index

from gluon_attn.config.ean import EanConfig
from gluon_attn.search.ean.controller import Controller
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.searcher import as_bits

CASES = [case for case in read_index() if case.run == "ean_controller"]
#: prefix of the case's names -> our network
NETS = {
    "controller._fc_controller": lambda search: search.controller.net,
    "rnd_fix.rnd_fix": lambda search: search.rnd.fixed,
    "rnd_learn.rnd_fix": lambda search: search.rnd.predictor,
}


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture
def search(case):
    """The authors' search with the case's weights and, for accuracy, its formula."""
    config = EanConfig(variant="reference", validate_size=case.opts["validate_size"])
    made = EanSearch(16, toy_accuracies, config)
    for name, value in case.weights().items():
        prefix, layer, kind = name.rsplit(".", 2)
        NETS[prefix](made).weights[f"{int(layer) // 2}.{kind}"][:] = value
    return made


def toy_accuracies(schemes):
    found = []
    for bits in schemes:
        b = np.array([int(bit) for bit in bits])
        found.append(52 + 0.3 * (b * (7 * np.arange(16) % 11 - 4.5)).sum() + 0.2 * (b[:-1] * b[1:]).sum())
    return found


def check(case, **arrays):
    """No stored array disagrees; `at` begins the names."""
    at = arrays.pop("at", "")
    assert [line for key, got in arrays.items() if (line := case.complaint(at + key, got))] == []


def check_weights(case, at, arrays):
    """The arrays of the case that begin with `at` and name a weight agree with ours."""
    keys = [key for key in case.meta if key.startswith(f"{at}/")]
    assert keys, at
    for key in keys:
        layer, kind = key.rsplit("/", 1)[1].split(".")[-2:]
        assert case.complaint(key, arrays[f"{int(layer) // 2}.{kind}"]) is None


def test_outputs_of_the_networks(case, search):
    x = np.random.RandomState(case.seed + 1).normal(size=(5, 20)).astype("float32")
    check(case, at="forward/", logits=search.controller.logits(x), logits_zero_input=search.controller.logits())
    limited = Controller(16, np.random.default_rng(0))
    limited.net.weights = search.controller.net.weights
    check(case, at="forward/", logits_if_mode_were_train=limited.logits(x))
    actions, rnd = case.data["rnd/actions"], search.rnd
    check(case, at="rnd/", fix=rnd.fixed(actions), learn=rnd.predictor(actions))
    check(case, at="rnd/", bonus=rnd.bonus(actions).sum())


def test_the_loop(case, search):
    data, said, losses, old = case.data, [], [], []
    for step, actions in enumerate(data["loop/actions"]):
        schemes = as_bits(actions)
        rewards = np.array([search.reward(*pair) for pair in zip(schemes, toy_accuracies(schemes), strict=True)])
        log_probabilities = search.controller.log_probabilities(actions)
        gradients = spied(search.controller)
        bonus_gradients = spied(search.rnd)
        extra = search.learn_on_policy(actions, rewards)
        said.append((toy_accuracies(schemes), rewards, rewards + extra["bonus"], extra["bonus"][0], log_probabilities))
        losses.append((extra["baseline"][0], extra["controller_loss"][0]))
        if f"loop/online_{step}/grad/_fc_controller.0.bias" in data:
            check_weights(case, f"loop/online_{step}/grad", gradients)
        if f"loop/rnd_{step}/grad/rnd_fix.0.bias" in data:
            check_weights(case, f"loop/rnd_{step}/grad", bonus_gradients)
        check_weights(case, f"loop/online_{step}/after", search.controller.net.weights)
        if step >= search.config.replay_from:
            old.append(old_step(case, search, f"loop/replay_{step}"))
        search.steps += 1
    keys = ("val_acc", "rewards", "rewards_with_bonus", "rnd_bonus", "log_probs")
    check(
        case, at="loop/", **{key: np.array(values) for key, values in zip(keys, zip(*said, strict=True), strict=True)}
    )
    check(case, at="loop/", baseline=np.array(losses)[:, 0], loss=np.array(losses)[:, 1], replay_loss=np.array(old))
    check_weights(case, "loop/final/controller", search.controller.net.weights)
    check_weights(case, "loop/final/rnd_learn", search.rnd.predictor.weights)


def old_step(case, search, at):
    """One step on the memory that the case names; returns its loss."""
    stored = {key: case.data[f"{at}/{key}"] for key in ("picked_step", "stored_actions")}
    memory = next(m for m in search.replay.steps if m.step == stored["picked_step"])
    assert memory.actions.tolist() == stored["stored_actions"].tolist()
    check(case, at=f"{at}/", stored_probs=memory.probabilities, stored_rewards=memory.rewards)
    log_probabilities = search.controller.log_probabilities(memory.actions)
    check(case, at=f"{at}/", log_probs=log_probabilities.T, ratio=(np.exp(log_probabilities) / memory.probabilities).T)
    gradients = spied(search.controller)
    loss = search.learn_from_replay(memory)
    check_weights(case, f"{at}/grad", gradients)
    check_weights(case, f"{at}/after", search.controller.net.weights)
    return loss


def spied(learner):
    """A mapping that takes the gradients of the next step of Adam."""
    seen, step = {}, type(learner.adam).step

    def keep(gradients):
        seen.update(gradients)
        del learner.adam.step
        step(learner.adam, gradients)

    learner.adam.step = keep
    return seen
