"""What Discord shows beside commands and their options: 100 characters at most."""


class Commands:
    COMMAND = "Dream a picture from words, and watch it take shape."
    COMMAND_PROMPT = "What to dream, e.g. a bowl of cherries."
    COMMAND_SEED = "Where the dream begins: the same words and seed give the same picture."
    COMMAND_STEPS = "How long to dream: more steps take longer and come closer to the words."
