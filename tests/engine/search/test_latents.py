import pytest
import torch

from engine.search.latents import LatentAverage, Latents, top_classes


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
        z, weights = average()()
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
    assert torch.allclose(average().z, biased / (1 - accumulated), atol=1e-5)


def test_a_variation_of_no_strength_is_the_same_and_a_full_one_is_new_noise_of_the_same_size() -> None:
    latents = blind()
    rng = torch.Generator().manual_seed(1)
    assert torch.equal(latents.varied(0, rng).z, latents.z)
    full = latents.varied(1, rng)
    assert abs(torch.cosine_similarity(full.z, latents.z, dim=1).mean()) < 0.2
    assert abs(full.z.std() - 1) < 0.15
    slight = latents.varied(0.2, rng)
    assert torch.cosine_similarity(slight.z, latents.z, dim=1).min() > 0.95


def test_a_blend_begins_at_one_ends_at_the_other_and_keeps_its_size_between() -> None:
    one, other = blind(0), blind(1)
    for share, end in ((0.0, one), (1.0, other)):
        blend = one.blended(other, share)
        assert torch.allclose(blend.z, end.z, atol=1e-5)
        assert torch.allclose(blend()[1], end()[1], atol=1e-5)
    half = one.blended(other, 0.5)
    assert abs(half.z.std() - 1) < 0.1
    assert torch.allclose(half()[1], (one()[1] + other()[1]) / 2, atol=1e-5)
    assert torch.allclose(one.blended(one, 0.5).z, one.z, atol=1e-5)


def bigsleep_topk(x: torch.Tensor, k: int, temperature: float) -> torch.Tensor:
    """As written in lucidrains/big-sleep 0.9.1."""
    n, dim = x.shape
    tensors = []
    for i in range(k):
        values, indices = (x / temperature).softmax(dim=-1).topk(1, dim=-1)
        tensors.append(torch.zeros_like(x).scatter_(-1, indices, values))
        if i < k - 1:
            x = x.scatter(-1, indices, float("-inf"))
    return torch.cat(tensors, dim=-1).reshape(n, k, dim).sum(dim=1)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_top_classes_are_bigsleep_s_with_its_gradient(count: int) -> None:
    logits = torch.randn(5, 40, generator=torch.Generator().manual_seed(0), requires_grad=True)
    ours, theirs = top_classes(logits, count, 2.0), bigsleep_topk(logits, count, 2.0)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert bool(((ours > 0).sum(dim=1) == count).all())
    weigh = torch.rand(5, 40, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((each * weigh).sum(), logits)[0] for each in (ours, theirs)]
    assert torch.allclose(*gradients, atol=1e-6)


def test_rows_made_of_other_latents_make_the_same_picture() -> None:
    latents = blind()
    again = Latents.of(latents)
    assert torch.equal(again.z, latents.z) and torch.allclose(again()[1], latents()[1], atol=1e-5)
