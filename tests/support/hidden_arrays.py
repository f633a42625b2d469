"""Arrays of hidden states."""
import numpy


def write_hidden_arrays(path, samples=24, width=16):
    """A variant's hidden states as `import-cache` reads them."""
    generator = numpy.random.default_rng(3)
    numpy.savez(path, labels=numpy.arange(samples) % 2,
                split=numpy.arange(samples) % 3,
                sample_id=numpy.array([f"sample-{i}" for i in range(samples)]),
                **{"L1/mean": generator.standard_normal((samples, width)).astype("<f4")})
