"""Learn the built-in words, half of every epoch under car noise: a loader, a small network, a minute on two cores.

python examples/train_speech.py
"""

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchaudio.transforms import MelSpectrogram

from sliceforge.engine import Augment, Share, SliceDataset, load

EPOCHS, LENGTH = 40, 16000


def clip_features(audio: torch.Tensor, mel: nn.Module) -> torch.Tensor:
    """(B, T) → (B, 40, frames), the log spectrum of the first second, level taken out."""
    spectrum = torch.log(mel(nn.functional.pad(audio, (0, LENGTH))[:, :LENGTH]) + 1e-6)
    return spectrum - spectrum.mean(dim=(1, 2), keepdim=True)


def main() -> float:
    """Train; returns the share of noisy clips, of an epoch that was not trained on, that are told right."""
    torch.manual_seed(1)
    noisy = load("speech/car_noise", "rate=16000", "steps.mix.snr=[5, 20]")
    dataset = SliceDataset(None, [Share(noisy, share=0.5)], seed=7)
    augment = Augment(dataset, device="cpu")
    loader = DataLoader(dataset, batch_size=4, shuffle=True, collate_fn=dataset.collate)
    mel = MelSpectrogram(16000, n_fft=512, hop_length=256, n_mels=40)
    layers = [nn.Conv1d(40, 64, 5, 2), nn.ReLU(), nn.Conv1d(64, 64, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(4)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, len(dataset.classes)))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for epoch in range(1, EPOCHS + 1):
        for batch in augment(loader, epoch):
            loss = nn.functional.cross_entropy(network(clip_features(batch["audio"], mel)), batch["target"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    unseen = SliceDataset(None, [Share(noisy, share=1.0)], seed=8)
    batches = Augment(unseen)(DataLoader(unseen, batch_size=4, collate_fn=unseen.collate))
    right = [network(clip_features(one["audio"], mel)).argmax(1) == one["target"] for one in batches]
    return float(torch.cat(right).float().mean())


if __name__ == "__main__":
    print(f"{main():.0%} of the words under noise that was never heard are told right")
