"""What words mean: emoji, what chats write between angle brackets, scenes, the known things. No torch."""
