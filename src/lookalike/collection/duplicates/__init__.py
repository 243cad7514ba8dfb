"""Pictures that a collection holds twice: compared, grouped, decided, and done about."""
