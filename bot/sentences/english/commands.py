"""What Discord shows beside commands and their options: 100 characters at most."""


class Commands:
    COMMAND = "Dream a picture from words, and watch it take shape."
    COMMAND_PROMPT = "What to dream, e.g. a bowl of cherries."
    COMMAND_SEED = "Where the dream begins: the same words and seed give the same picture."
    COMMAND_STEPS = "How long to dream: more steps take longer and come closer to the words."
    COMMAND_AVOID = "What the picture should not look like, e.g. fog."
    COMMAND_IMAGE = "A picture for the dream to resemble, up to 8 MB."
    COMMAND_SIZE = "How large the picture is shown, in pixels."
    COMMAND_PRESET = "How thorough the dream is: more care takes longer."
    COMMAND_SPOILER = "Hide the picture until somebody clicks on it."
    MENU_DREAM_ON = "Dream on from this picture"

    PRESET_QUICK, PRESET_NORMAL, PRESET_THOROUGH = "Quick", "Normal", "Thorough"
    # What the embedded models can do to any thing, and what large ones can.
    GROUNDS = (
        "at night",
        "at sunset",
        "in the snow",
        "on the beach",
        "in the forest",
        "on the grass",
        "under water",
        "in space",
    )
    STYLES = ("watercolour", "oil painting", "pencil drawing", "stained glass", "pixel art")
