"""A Hugging Face model whose output is compared with and without noise: transformers, on CPU or GPU, float32."""

import contextlib

import numpy as np
import torch
import transformers

transformers.utils.logging.disable_progress_bar()


def load(path, device):
    """The causal language model of `path`, or the bare encoder when it predicts no tokens. No network."""
    config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
    named = next(iter(config.architectures or []), "")
    is_causal = named.endswith(("ForCausalLM", "ForConditionalGeneration", "LMHeadModel"))
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(f"{path}: {named} has an encoder and a decoder, whose output isn't measured here")
    loader = getattr(transformers, named, None) if is_causal else transformers.AutoModel
    model = (loader or transformers.AutoModelForCausalLM).from_pretrained(path, dtype=torch.float32, local_files_only=True)
    return model.eval().to(device), is_causal


def tokenize(path, text):
    """Token ids of a text, without special tokens."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
    return tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


class TransformersModel:
    """The model and its own output on some windows, [windows, length] token ids.

    The output is the distribution over the next token at every position (KL in nats), or of an encoder the
    mean-pooled unit embedding (squared distance).
    """

    def __init__(self, model, windows, is_causal=True, batch=1):
        self._model = model
        self._parameters = dict(model.named_parameters())
        self._windows = torch.as_tensor(np.asarray(windows), device=next(model.parameters()).device)
        self._is_causal = is_causal
        self._batch = batch
        self._base = [self._output(batch) for batch in self._batches()]

    def shapes(self):
        """Shapes of all parameters by name; a tied head is none of its own."""
        return {name: tuple(value.shape) for name, value in self._parameters.items()}

    def weights(self, name):
        return self._parameters[name].detach().cpu().numpy()

    def _batches(self):
        return torch.split(self._windows, self._batch)

    @torch.no_grad()
    def _output(self, tokens):
        if self._is_causal:
            return torch.log_softmax(self._model(input_ids=tokens, use_cache=False).logits.float(), dim=-1)
        hidden = self._model(input_ids=tokens).last_hidden_state.float().mean(dim=1)
        return torch.nn.functional.normalize(hidden, dim=-1)

    def _change(self, base, changed):
        """One number a window."""
        if not self._is_causal:
            return (base - changed).double().square().sum(dim=-1)
        return (base.exp() * (base - changed)).sum(dim=-1, dtype=torch.float64).mean(dim=-1)

    @contextlib.contextmanager
    def _with(self, noise):
        kept = {name: self._parameters[name].detach().clone() for name in noise}
        try:
            with torch.no_grad():
                for name, values in noise.items():
                    parameter = self._parameters[name]
                    parameter.add_(torch.as_tensor(values, device=parameter.device))
            yield
        finally:
            with torch.no_grad():
                for name, values in kept.items():
                    self._parameters[name].copy_(values)

    def changes(self, noise):
        """What adding `noise` (arrays by name) does to the output: one number a window."""
        with self._with(noise):
            found = [self._change(base, self._output(tokens))
                     for base, tokens in zip(self._base, self._batches())]
        return torch.cat(found).cpu().tolist()
