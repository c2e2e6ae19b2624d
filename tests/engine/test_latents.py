import pytest
import torch

from engine.latents import LatentAverage, Latents


def blind(seed: int = 0) -> Latents:
    return Latents.blind(7, 128, 1000, torch.Generator().manual_seed(seed))


def test_a_blind_start_is_drawn_as_bigsleep_draws_it() -> None:
    latents = blind()
    assert latents.z.shape == (7, 128) and latents.class_logits.shape == (7, 1000)
    assert abs(latents.z.mean()) < 0.15 and abs(latents.z.std() - 1) < 0.1
    assert abs(latents.class_logits.mean() + 3.9) < 0.02 and abs(latents.class_logits.std() - 0.3) < 0.02


def test_class_weights_are_a_sigmoid_not_a_softmax() -> None:
    latents = blind()
    _, weights = latents()
    assert torch.equal(weights, torch.sigmoid(latents.class_logits))


def test_rows_of_noise_and_classes_must_agree() -> None:
    with pytest.raises(ValueError, match="3 rows of noise, but 2"):
        Latents(torch.zeros(3, 4), torch.zeros(2, 5))


def test_the_average_of_a_constant_is_that_constant_from_the_first_update() -> None:
    latents = blind()
    average = LatentAverage(latents, 0.99)
    for _ in range(3):
        z, weights = average()
        assert torch.allclose(z, latents.z, atol=1e-4)
        assert torch.allclose(weights, latents()[1], atol=1e-4)
        average.update(latents)


def test_the_average_follows_bigsleep_s_formula() -> None:
    latents, decay = blind(), 0.9
    average = LatentAverage(latents, decay)
    biased, accumulated = (1 - decay) * latents.z.detach().clone(), decay
    for _ in range(4):
        with torch.no_grad():
            latents.z.add_(0.5)
        average.update(latents)
        biased = decay * biased + (1 - decay) * latents.z.detach()
        accumulated *= decay
    assert torch.allclose(average()[0], biased / (1 - accumulated), atol=1e-5)
