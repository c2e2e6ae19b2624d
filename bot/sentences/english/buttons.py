"""What is said about the buttons under a dream, the forms that they open, and pictures that people attach."""


class Buttons:
    AGAIN, VARY, CONTINUE, EDIT = "Again", "Vary", "Continue", "Edit"
    TIMELAPSE, RECIPE, DELETE = "Time-lapse", "Recipe", "Delete"
    DELETE_SURELY = "Yes, delete it"

    UNKNOWN_BUTTON = "Sorry, this button no longer does anything."
    DELETED_ALREADY = "This dream has been deleted."
    NOT_YOURS_TO_DELETE = "This dream belongs to somebody else; only they or a moderator can delete it."
    CANCEL_FIRST = "This dream isn't over yet. Please cancel it first."
    DELETE_QUESTION = "Delete this dream with its picture, words and votes? This can't be undone."
    DELETED = "The dream has been deleted."
    NOT_DELETED = "I couldn't delete the message just now, so I kept the dream. Please try again later."
    NOT_OVER = "This dream isn't over yet. Once it is, you can go on from it."
    NO_STATE = "Sorry, I no longer know where this dream ended. Again starts it over."
    REPEAT = "Same picture again"
    PICTURE_LET_GO = "Its picture isn't kept any more; from the same words and seed I can dream it again."
    NO_TIMELAPSE = "Sorry, there is no time-lapse of this dream."
    NO_RECIPE = "There is no recipe, because this dream never became a picture."

    EDIT_TITLE = "Dream it in other words"
    PICTURE_TITLE = "What should this picture become?"
    PROMPT_LABEL, AVOID_LABEL = "What to dream", "What to avoid"
    BEGIN_LABEL = "Where to begin"
    BEGIN_AFRESH, BEGIN_FROM_HERE = "From the start, with the same seed", "From this picture"

    NO_PICTURE_HERE = "There is no picture attached to this message."
    NOT_A_PICTURE = "I can read pictures as PNG, JPEG, WebP, GIF, BMP and AVIF. This is none of them."
    PICTURE_UNREACHABLE = "I couldn't fetch the picture from Discord. Please try again."
    PICTURE_FORGOTTEN = "Sorry, I've lost track of the picture. Please choose it again."

    STILL_BUSY = "I'm still busy with what you asked for a moment ago. Please try again when that's done."
    CROWDED = "Many people are asking me for something right now. Please try again in a minute."

    PRESET_LABEL, SIZE_LABEL, VERSION, SETTINGS = "Preset", "Size", "Version", "Settings"

    OLD_COMMAND = "This command has changed. Please restart Discord, which still shows the old one."

    def picture_too_large(self, most_mb: int) -> str:
        """Refuses an attachment. `most_mb`: megabytes."""
        return f"This picture is too large: {most_mb} MB is the limit."

    def recipe_of(self, dream_id: int) -> str:
        """Above a recipe."""
        return f"The recipe of dream {dream_id}"

    def how_to_repeat(self, dream_id: int) -> str:
        """In a recipe."""
        return f"`/dreams repeat dream:{dream_id}` dreams the very same picture again."
