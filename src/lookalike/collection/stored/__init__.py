"""What a collection keeps in files of its own, beside the tables: clusterings and maps, under names."""
