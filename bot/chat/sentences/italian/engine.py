"""The engine's own sentences, which are English, in Italian. A test finds those that are missing here."""

import re

# The English sentence, with names in braces where its facts stand → the Italian one with the same names.
SENTENCES = {
    "This dream cannot be dreamt as asked.": "Così come l'hai chiesto, questo sogno non si può sognare.",
    "Please say what to dream: the prompt is empty.": "Dimmi che cosa sognare: il testo è vuoto.",
    "The prompt has {characters} characters; the limit is {most}.": (
        "Il testo ha {characters} caratteri; al massimo possono essere {most}."
    ),
    "Every phrase of the prompt counts against the picture; please give one a weight above 0.": (
        "Ogni frase del testo conta contro l'immagine; dai ad almeno una un peso maggiore di 0."
    ),
    "The weights of the prompt add up to {total}; please make the wanted phrases weigh more than the unwanted"
    " ones.": (
        "I pesi del testo danno in tutto {total}; fa' in modo che le frasi volute pesino più delle altre."
    ),
    "What to avoid has no words.": "In ciò che vuoi evitare non ci sono parole.",
    "{what} has no phrase that counts; please give one a weight other than 0.": (
        "{what} non ha nessuna frase che conti; dai ad almeno una un peso diverso da 0."
    ),
    "{what} has {count} phrases; the limit is {most}.": "{what} ha {count} frasi; il massimo è {most}.",
    "This picture has {size} MB; the limit is {most} MB.": (
        "Questa immagine ha {size} MB; al massimo possono essere {most}."
    ),
    "This picture is too large; the limit is {most} million pixels.": (
        "Questa immagine è troppo grande; al massimo possono essere {most} milioni di pixel."
    ),
    "This picture is too wide or too high; a side may have {most} pixels at most.": (
        "Questa immagine è troppo larga o troppo alta; un lato può avere al massimo {most} pixel."
    ),
    "This JPEG has {scans} scans; the limit is {most}.": (
        "Questo JPEG ha {scans} scansioni; al massimo possono essere {most}."
    ),
    "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF, BMP and AVIF.": (
        "Questa non è un'immagine che io sappia leggere; conosco PNG, JPEG, WebP, GIF, BMP e AVIF."
    ),
    "This picture is damaged, so I cannot read it.": "Questa immagine è rovinata, non riesco a leggerla.",
    "A time-lapse does not fit into {bytes} bytes; please allow some more.": (
        "Un filmato non sta in {bytes} byte; concedigliene qualcuno in più."
    ),
    "An MP4 needs the package PyAV (pip install av); WebP and GIF need nothing more.": (
        "Per un MP4 serve il pacchetto PyAV (pip install av); per WebP e GIF non serve altro."
    ),
    "The prompt": "Il testo",
    "What to avoid": "Ciò che vuoi evitare",
    "The prompt is long: I read it in {parts} parts and dream of them all.": (
        "Il testo è lungo: lo leggo in {parts} parti e le sogno tutte."
    ),
    "The pictures are too large; the limit is {most} MB together.": (
        "Le immagini sono troppo grandi; insieme possono avere al massimo {most} MB."
    ),
    "The picture's weight is {weight}; it must be above 0 and at most {most}.": (
        "Il peso dell'immagine è {weight}; dev'essere più di 0 e al massimo {most}."
    ),
    "The size is {size}; it must be one of {sizes}.": (
        "La dimensione è {size}; dev'essere una di queste: {sizes}."
    ),
    "A dream begins either at a picture or at another dream's end, not at both.": (
        "Un sogno comincia o da un'immagine o dalla fine di un altro sogno, non da entrambi."
    ),
    "A time-lapse does not fit into {bytes} bytes; please allow more.": (
        "Un filmato non sta in {bytes} byte; concedigliene di più."
    ),
    "{count} words": "{count} parole",
    "{count} letters": "{count} lettere",
    "The seed must be a whole number from 0 to {most}.": "Il seme dev'essere un numero intero da 0 a {most}.",
    "The seed is {seed}; it must be a whole number from 0 to {most}.": (
        "Il seme è {seed}; dev'essere un numero intero da 0 a {most}."
    ),
    "The steps must be a whole number from 1 to {most}.": (
        "I passi devono essere un numero intero da 1 a {most}."
    ),
    "The number of steps is {steps}; it must be from 1 to {most}.": (
        "I passi sono {steps}; devono essere da 1 a {most}."
    ),
    "The size must be one of {sizes}.": "La dimensione dev'essere una di queste: {sizes}.",
    "The preset must be one of {presets}.": "La qualità dev'essere una di queste: {presets}.",
    "This server has since banned some of these words.": (
        "Nel frattempo questo server ha vietato alcune di queste parole."
    ),
    "The dream that this one starts from is gone.": "Il sogno da cui questo dovrebbe partire non c'è più.",
    "The model {model} cannot be kept in {folder}: {reason}.": (
        "Il modello {model} non si può salvare in {folder}: {reason}."
    ),
    "There is not enough room for the model: {needed} MB more are needed in {folder}, {free} MB are free.": (
        "Non c'è posto per il modello: in {folder} servono altri {needed} MB, liberi sono {free} MB."
    ),
    "{clip} is not {allowed}.": "{clip} non è valido: {allowed}.",
    "The large models could not be fetched.": "Non sono riuscito a scaricare i modelli grandi.",
    "The disk is full or cannot be written.": "Il disco è pieno o non ci si può scrivere.",
    "There is not enough memory for this dream.": "Non c'è abbastanza memoria per questo sogno.",
    "This dream was stopped before there was a picture to keep.": (
        "Questo sogno è stato fermato prima che ci fosse un'immagine da tenere."
    ),
    "A dream cannot begin as {begin}; it can: {known}.": (
        "Un sogno non può cominciare con {begin}; può: {known}."
    ),
    "A dream that begins as {begin} takes {needs}, but {count} came.": (
        "A un sogno che comincia con {begin} serve {needs}; ne sono arrivati {count}."
    ),
    "no state": "nessuno stato",
    "one state": "uno stato",
    "two states": "due stati",
    "A phrase's weight must be a number.": "Il peso di una frase dev'essere un numero.",
    "No phrase has a weight above zero, so there is nothing to dream of.": (
        "Nessuna frase ha un peso maggiore di zero: non resta niente da sognare."
    ),
    "The seconds between states must not be negative.": (
        "I secondi fra uno stato e l'altro non possono essere negativi."
    ),
    "The strength is {strength}; it must be from 0 to 1.": "La forza è {strength}; dev'essere da 0 a 1.",
    "This state has {size} bytes; a dream's has at most {most}.": (
        "Questo stato ha {size} byte; quello di un sogno ne ha al massimo {most}."
    ),
    "This state is from a dream with other settings; continue it instead of resuming it.": (
        "Questo stato è di un sogno con altre impostazioni; continualo invece di riprenderlo."
    ),
    "This state is from a dream with the seed {seed}; resume it with that one.": (
        "Questo stato è di un sogno con il seme {seed}; riprendilo con quello."
    ),
    "This state is from another model, so it cannot be used with this one.": (
        "Questo stato è di un altro modello, con questo non si può usare."
    ),
    "This state is from another version of Oneiro; the dream has to start over.": (
        "Questo stato è di un'altra versione di Oneiro; il sogno va sognato da capo."
    ),
    "This state is heading for other words; continue it instead of resuming it.": (
        "Questo stato va verso altre parole; continualo invece di riprenderlo."
    ),
    "This is not a dream's state, or it is damaged; the dream has to start over.": (
        "Questo non è lo stato di un sogno, o è rovinato; il sogno va sognato da capo."
    ),
    "The {what} {path} cannot be read: {reason}.": "Non riesco a leggere {path} ({what}): {reason}.",
    "The {what} {path} is too large; the limit is {most}.": (
        "{path} ({what}) è troppo grande; al massimo possono essere {most}."
    ),
    "A dream needs about {need} of memory, but only {free} are free.": (
        "Per un sogno servono circa {need} di memoria, ma ne sono liberi solo {free}."
    ),
    "A dream needs about {need} of address space, but the limit (ulimit -v) leaves {free}.": (
        "Per un sogno servono circa {need} di spazio di indirizzi, ma il limite (ulimit -v) ne lascia {free}."
    ),
    "The model {name} needs about {need} GB of memory, but only {free} GB are free; a smaller model may"
    " fit.": (
        "Il modello {name} ha bisogno di circa {need} GB di memoria, ma ne sono liberi solo {free} GB; forse"
        " ci sta uno più piccolo."
    ),
    "There is no recipe {name}; there are {known}.": "La ricetta {name} non esiste; ci sono {known}.",
    "There is no preset {name}; there are {known}.": "La qualità {name} non esiste; ci sono {known}.",
    "There is no setting {name}; there are {known}.": "L'impostazione {name} non esiste; ci sono {known}.",
    "The setting {name} must be one of {known}.": "L'impostazione {name} dev'essere una di {known}.",
    "The setting {name} must be {kind} from {low} to {high}.": (
        "L'impostazione {name} dev'essere {kind} da {low} a {high}."
    ),
    "a whole number": "un numero intero",
    "a number": "un numero",
    "The setting basis must not be larger than candidates.": (
        "L'impostazione basis non può essere maggiore di candidates."
    ),
    "The setting basis needs start: samples.": "L'impostazione basis richiede start: samples.",
    "The setting cutout_min must not be larger than cutout_max.": (
        "L'impostazione cutout_min non può essere maggiore di cutout_max."
    ),
}


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template)), re.DOTALL)


_PATTERNS = [(_pattern(english), italian) for english, italian in SENTENCES.items()]


def known(sentence: str) -> bool:
    """Whether this English sentence of the engine has an Italian one."""
    return any(pattern.fullmatch(sentence) for pattern, _ in _PATTERNS)


def translated(sentence: str) -> str:
    """The engine's sentence in Italian; one that is not known stays as it is."""
    for pattern, italian in _PATTERNS:
        if match := pattern.fullmatch(sentence):
            return italian.format(**{name: translated(fact) for name, fact in match.groupdict().items()})
    return sentence
