"""Learn the built-in words under car noise with Lightning, in half a minute on two cores; stop it, and it goes on.

python examples/train_lightning.py
"""

from typing import Any

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchaudio.transforms import MelSpectrogram

from sliceforge.engine import Augment, Share, SliceDataset, load


class Words(lightning.LightningDataModule):
    """The built-in words; half of every epoch, and all that is tested, is made."""

    def setup(self, stage: str) -> None:
        noisy = load("speech/car_noise", "rate=16000", "steps.mix.snr=[5, 20]")
        self.data = SliceDataset(None, [Share(noisy, share=0.5)], seed=7, seconds=1.0)
        self.unseen = SliceDataset(None, [Share(noisy, share=1.0)], seed=8, seconds=1.0, fixed=True)

    def loader(self, data: SliceDataset, shuffle: bool) -> Any:
        return Augment(data)(DataLoader(data, 4, shuffle=shuffle, collate_fn=data.collate))

    def train_dataloader(self) -> Any:
        return self.loader(self.data, True)

    def val_dataloader(self) -> Any:
        return self.loader(self.unseen, False)


class Network(lightning.LightningModule):
    """A small convolutional network over log-mel spectra."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.mel = MelSpectrogram(16000, n_fft=512, hop_length=256, n_mels=40)
        layers = [nn.Conv1d(40, 64, 5, 2), nn.ReLU(), nn.Conv1d(64, 64, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(4)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, classes))

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        spectrum = torch.log(self.mel(audio) + 1e-6)
        return self.layers(spectrum - spectrum.mean(dim=(1, 2), keepdim=True))

    def training_step(self, batch: dict[str, Any], number: int) -> torch.Tensor:
        return nn.functional.cross_entropy(self(batch["audio"]), batch["target"])

    def validation_step(self, batch: dict[str, Any], number: int) -> None:
        right = (self(batch["audio"]).argmax(1) == batch["target"]).float().mean()
        self.log("right", right, batch_size=len(batch["target"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 2e-3)


def main(epochs: int = 25) -> float:
    """Train; returns the share of clips under noise that was not trained on that are told right."""
    torch.manual_seed(1)
    words = Words()
    words.setup("fit")
    trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", logger=False, check_val_every_n_epoch=epochs)
    trainer.fit(Network(len(words.data.classes)), words)
    return float(trainer.callback_metrics["right"])


if __name__ == "__main__":
    print(f"{main():.0%} of the words under noise that was never heard are told right")
