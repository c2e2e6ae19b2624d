"""A file's content on its way to Discord: gone from memory as soon as it has arrived."""

import io


class Upload(io.BytesIO):
    """What a `discord.File` reads.

    While a `discord.File` is open it takes its content's `close` away, and at the end hands it back as an
    attribute. A method that its own object holds is a circle: some megabytes of each film would stay until
    Python next looks for circles, which is seldom. Here nothing is held.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name == "close" and getattr(value, "__self__", None) is self:
            self.__dict__.pop(name, None)  # the class has it
        else:
            super().__setattr__(name, value)
