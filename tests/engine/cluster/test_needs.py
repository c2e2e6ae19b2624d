"""A cluster's settings."""

import pytest

from engine.cluster import needs
from engine.cluster.needs import Needs
from engine.errors import BadSetting


@pytest.fixture(autouse=True)
def there_is_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: object())


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("RAY_ADDRESS", "ray://10.0.0.5:10001", "10.0.0.5:6379"),
        ("RAY_ADDRESS", "10.0.0.5", "and the port"),
        ("RAY_ADDRESS", "10.0.0.5:0", "and the port"),
        ("RAY_ADDRESS", "somebody@10.0.0.5:6379", "and the port"),
        ("ENGINE_GPUS", "1.5", "above 1 it must be whole"),
        ("ENGINE_GPUS", "-1", "0.01 to 8"),
        ("ENGINE_GPUS", "nan", "0.01 to 8"),
        ("ENGINE_GPUS", "all", "0.01 to 8"),
        ("ENGINE_CPUS", "0", "1 to 1024"),
        ("ENGINE_CPUS", "0.5", "1 to 1024"),
    ],
)
def test_a_bad_value_is_named_with_key_and_range(key: str, value: str, allowed: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Needs.read({key: value}, most=None, silence_s=5)
    assert key in str(caught.value) and allowed in str(caught.value)


def test_all_of_it_is_read_and_travels_to_the_driver() -> None:
    environ = {"RAY_ADDRESS": "head.local:6379", "ENGINE_GPUS": "0.5", "ENGINE_CPUS": "2"}
    read = Needs.read(environ, most=7, silence_s=30)
    assert read == Needs(address="head.local:6379", gpus=0.5, cpus=2, most=7, silence_s=30)
    assert Needs.from_json(read.to_json()) == read
    assert Needs.read({"RAY_ADDRESS": "auto"}, most=None, silence_s=5).address == "auto"
    assert Needs.read({"ENGINE_GPUS": "0"}, most=None, silence_s=5).gpus == 0


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    with pytest.raises(BadSetting, match=r'pip install "ray>=2\.40,<3"'):
        Needs.read({}, most=None, silence_s=5)
