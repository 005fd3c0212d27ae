"""Text in, tokens out: corpora, tokenizers, the training stream."""
