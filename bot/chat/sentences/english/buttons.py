"""What is said about the buttons under a dream, the forms that they open, and pictures that people attach."""


class Buttons:
    AGAIN, VARY, CONTINUE, EDIT = "Again", "Vary", "Continue", "Edit"
    TIMELAPSE, RECIPE, DELETE = "Time-lapse", "Recipe", "Delete"
    DELETE_SURELY = "Yes, delete it"

    UNKNOWN_BUTTON = "This button does nothing any more, sorry."
    DELETED_ALREADY = "This dream has been deleted."
    NOT_YOURS_TO_DELETE = "This dream belongs to somebody else; only they or a moderator can delete it."
    CANCEL_FIRST = "This dream is not over yet. Please cancel it first."
    DELETE_QUESTION = "Delete this dream with its picture, words and votes? Nothing brings them back."
    DELETED = "The dream is deleted."
    NOT_DELETED = "I could not delete the message just now, so I kept the dream. Please try again later."
    NOT_OVER = "This dream is not over yet. When it is, there is something to go on from."
    NO_STATE = "I no longer know where this dream ended, sorry. Again begins it anew."
    NO_TIMELAPSE = "There is no time-lapse of this dream, sorry."
    NO_RECIPE = "There is no recipe: this dream did not come to a picture."

    EDIT_TITLE = "Dream it in other words"
    PICTURE_TITLE = "What shall become of this picture?"
    PROMPT_LABEL, AVOID_LABEL = "What to dream", "What to avoid"
    BEGIN_LABEL = "Where to begin"
    BEGIN_AFRESH, BEGIN_FROM_HERE = "Afresh, with the same seed", "At this picture"

    NO_PICTURE_HERE = "There is no picture attached to this message."
    NOT_A_PICTURE = "I can read pictures as PNG, JPEG, WebP, GIF, BMP and AVIF. This is none of them."
    PICTURE_UNREACHABLE = "I could not fetch the picture from Discord. Please try again."
    PICTURE_FORGOTTEN = "I lost sight of the picture, sorry. Please choose it once more."

    STILL_BUSY = "I am still busy with what you asked for a moment ago. Please try again when that is done."
    CROWDED = "Many people want something of me just now. Please try again in a minute."

    PRESET_LABEL, SIZE_LABEL, VERSION, SETTINGS = "Preset", "Size", "Version", "Settings"

    OLD_COMMAND = "This command has changed. Please restart Discord, which still shows the old one."

    def picture_too_large(self, most_mb: int) -> str:
        """Refuses an attachment. `most_mb`: megabytes."""
        return f"This picture is too large: {most_mb} MB is the most."

    def recipe_of(self, dream_id: int) -> str:
        """Above a recipe."""
        return f"The recipe of dream {dream_id}"

    def how_to_repeat(self, dream_id: int) -> str:
        """In a recipe."""
        return f"`/dreams repeat dream:{dream_id}` dreams the very same picture again."
