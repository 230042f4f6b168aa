"""The logger of the package: stderr, files, and no handler twice."""

import logging
import re

import pytest

from gluon_attn.utils.log import close, get_logger, to_file, to_terminal, without_root_messages


@pytest.fixture
def logger():
    """The logger without its handlers; they come back afterwards."""
    logger = get_logger()
    kept, level = logger.handlers[:], logger.level
    logger.handlers[:] = []
    yield logger
    logger.handlers[:] = kept
    logger.setLevel(level)


def test_the_terminal_gets_plain_lines_once(logger, capsys):
    to_terminal()
    to_terminal()
    logger.info("a %d", 1)
    logger.debug("not shown")
    assert capsys.readouterr().err == "a 1\n"


def test_a_file_gets_time_and_level_until_it_is_closed(logger, tmp_path):
    logger.setLevel(logging.INFO)
    handler = to_file(tmp_path / "log.txt")
    logger.warning("wörd")
    close(handler)
    logger.warning("later")
    text = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:,]+ WARNING wörd\n", text)
    assert logger.handlers == []


def test_root_messages_are_dropped_and_others_stay(logger, capsys, monkeypatch):
    to_terminal()
    monkeypatch.setattr(logging.root, "handlers", [])
    with without_root_messages():
        logging.warning("of a library")
        logger.warning("ours")
    logger.warning("later")
    assert logging.root.handlers == []
    assert capsys.readouterr().err == "ours\nlater\n"
