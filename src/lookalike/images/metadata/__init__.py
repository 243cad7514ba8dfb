"""What files say of their pictures beside the pixels, found by walking over their first bytes."""

from lookalike.system.on_demand import public_names

__getattr__, __dir__ = public_names(__name__, {}, former={"Metadata": "lookalike:Metadata"})
