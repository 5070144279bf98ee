"""Learn the built-in words, half of every epoch under car noise, in a minute on two cores.

python examples/train_speech.py
"""

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchaudio.transforms import MelSpectrogram

from sliceforge.engine import Augment, Share, SliceDataset, load

MEL = MelSpectrogram(16000, n_fft=512, hop_length=256, n_mels=40)


def clip_features(audio: torch.Tensor) -> torch.Tensor:
    """(B, T) → (B, 40, frames), the log spectrum of the first second, level taken out."""
    spectrum = torch.log(MEL(nn.functional.pad(audio, (0, 16000))[:, :16000]) + 1e-6)
    return spectrum - spectrum.mean(dim=(1, 2), keepdim=True)


def main(epochs: int = 40) -> float:
    """Train; returns the share of clips under noise that was not trained on that are told right."""
    torch.manual_seed(1)
    noisy = load("speech/car_noise", "rate=16000", "steps.mix.snr=[5, 20]")
    data, unseen = (SliceDataset(None, [Share(noisy, share=share)], seed=7 + round(share)) for share in (0.5, 1.0))
    loader, test = (DataLoader(one, 4, shuffle=one is data, collate_fn=one.collate) for one in (data, unseen))
    layers = [nn.Conv1d(40, 64, 5, 2), nn.ReLU(), nn.Conv1d(64, 64, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(4)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, len(data.classes)))
    optimizer, augment = torch.optim.Adam(network.parameters(), 2e-3), Augment(data, device="cpu")
    for epoch in range(1, epochs + 1):
        for batch in augment(loader, epoch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(clip_features(batch["audio"])), batch["target"]).backward()
            optimizer.step()
    right = [network(clip_features(one["audio"])).argmax(1) == one["target"] for one in Augment(unseen)(test)]
    return float(torch.cat(right).float().mean())


if __name__ == "__main__":
    print(f"{main():.0%} of the words under noise that was never heard are told right")
