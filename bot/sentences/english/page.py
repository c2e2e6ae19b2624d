"""What only the page in the browser says."""


class Page:
    SKIP = "Skip to the content"
    BACK = "Back to the dreams"

    PAGE_NOT_FOUND = "There is nothing here, or not any more."
    PAGE_TOO_OLD = "This page is out of date. Please reload it and try again."
    PAGE_TOO_FAST = "That was a little fast for me. Please try again in a moment."
    PAGE_TOO_LARGE = "That is more than I can take at once."
    PAGE_OTHER_HOST = "I don't answer to this address. Please use the one that was printed when I started."
    PAGE_NOT_ALLOWED = "This page isn't open to you."
    PAGE_BAD_REQUEST = "I didn't understand that. Please go back and try again."
