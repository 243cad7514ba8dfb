"""What files say of their pictures beside the pixels, found by walking over their first bytes."""
