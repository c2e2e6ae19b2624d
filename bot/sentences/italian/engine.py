"""What the engine says, in Italian. A test finds what is missing here."""

from engine.sentences import Key

SENTENCES: dict[Key, str] = {
    Key.PLAIN: "{text}",
    Key.BAD_REQUEST: "Così come l'hai chiesto, questo sogno non si può sognare.",
    Key.MODEL: "Un file di un modello manca, è danneggiato o è di un'altra architettura.",
    Key.DISK: "Il disco è pieno o non ci si può scrivere.",
    Key.MEMORY: "Non c'è abbastanza memoria per questo sogno.",
    Key.CRASH: "Il motore dei sogni si è fermato all'improvviso.",
    Key.HANG: "Il motore dei sogni non ha dato segni di vita.",
    Key.LOST: "La macchina che lo sognava non c'è più.",
    Key.RESCUES: (
        "Mi hanno interrotto {times} volte durante questo sogno, quindi ci ho rinunciato. Chiedilo di nuovo."
    ),
    Key.STOPPED: "Questo sogno è stato fermato prima che ci fosse un'immagine da tenere.",
    Key.COLLAPSE: "I numeri di questo sogno sono impazziti prima di un'immagine; un altro seme andrà meglio.",
    Key.INTERNAL: "Qualcosa è andato storto nel motore dei sogni, scusa; il difetto è nostro e registrato.",
    Key.EMPTY_PROMPT: "Dimmi che cosa sognare: il testo è vuoto.",
    Key.PROMPT_LENGTH: "Il testo ha {characters} caratteri; al massimo possono essere {most}.",
    Key.PROMPT_ALL_AGAINST: (
        "Ogni frase del testo conta contro l'immagine; dai ad almeno una un peso maggiore di 0."
    ),
    Key.PROMPT_TOTAL: (
        "I pesi del testo danno in tutto {total:g}; fa' in modo che le frasi volute pesino più delle altre."
    ),
    Key.PROMPT_NO_PHRASE: "Il testo non ha nessuna frase che conti; dai ad almeno una un peso diverso da 0.",
    Key.PROMPT_PHRASES: "Il testo ha {count} frasi; il massimo è {most}.",
    Key.AVOID_NO_WORDS: "In ciò che vuoi evitare non ci sono parole.",
    Key.AVOID_NO_PHRASE: (
        "Ciò che vuoi evitare non ha nessuna frase che conti; dai ad almeno una un peso diverso da 0."
    ),
    Key.AVOID_PHRASES: "Ciò che vuoi evitare ha {count} frasi; il massimo è {most}.",
    Key.WEIGHT_NO_NUMBER: "Il peso di una frase dev'essere un numero.",
    Key.NO_WEIGHT: "Nessuna frase ha un peso maggiore di zero: non resta niente da sognare.",
    Key.PROMPT_IN_PARTS: "Il testo è lungo: lo leggo in {parts} parti e le sogno tutte.",
    Key.PICTURE_BYTES: "Questa immagine ha {size} MB; al massimo possono essere {most}.",
    Key.PICTURE_PIXELS: "Questa immagine è troppo grande; al massimo possono essere {most} milioni di pixel.",
    Key.PICTURE_EDGE: (
        "Questa immagine è troppo larga o troppo alta; un lato può avere al massimo {most} pixel."
    ),
    Key.PICTURE_SCANS: "Questo JPEG ha {scans} scansioni; al massimo possono essere {most}.",
    Key.PICTURE_UNKNOWN: (
        "Questa non è un'immagine che io sappia leggere; conosco PNG, JPEG, WebP, GIF, BMP e AVIF."
    ),
    Key.PICTURE_DAMAGED: "Questa immagine è rovinata, non riesco a leggerla.",
    Key.PICTURES_BYTES: "Le immagini sono troppo grandi; insieme possono avere al massimo {most} MB.",
    Key.PICTURE_WEIGHT: "Il peso dell'immagine è {weight:g}; dev'essere più di 0 e al massimo {most:g}.",
    Key.TIMELAPSE_BYTES: "Un filmato non sta in {bytes} byte; concedigliene di più.",
    Key.TIMELAPSE_FRAMES: "Un filmato non sta in {bytes} byte; concedigliene qualcuno in più.",
    Key.MP4_NEEDS_PYAV: (
        "Per un MP4 serve il pacchetto PyAV (pip install av); per WebP e GIF non serve altro."
    ),
    Key.SEED_RANGE: "Il seme dev'essere un numero intero da 0 a {most}.",
    Key.SEED_IS: "Il seme è {seed}; dev'essere un numero intero da 0 a {most}.",
    Key.STEPS_RANGE: "I passi devono essere un numero intero da 1 a {most}.",
    Key.STEPS_ARE: "I passi sono {steps}; devono essere da 1 a {most}.",
    Key.SIZE_CHOICES: "La dimensione dev'essere una di queste: {sizes}.",
    Key.SIZE_IS: "La dimensione è {size}; dev'essere una di queste: {sizes}.",
    Key.PRESET_CHOICES: "La qualità dev'essere una di queste: {presets}.",
    Key.PRESET_UNKNOWN: "La qualità {name!r} non esiste; ci sono {known}.",
    Key.RECIPE_UNKNOWN: "La ricetta {name!r} non esiste; ci sono {known}.",
    Key.CLIP_UNKNOWN: "{clip!r} non è valido: {allowed}.",
    Key.SETTING_UNKNOWN: "L'impostazione {name!r} non esiste; ci sono {known}.",
    Key.SETTING_CHOICES: "L'impostazione {name} dev'essere una di {known}.",
    Key.SETTING_WHOLE: "L'impostazione {name} dev'essere un numero intero da {low:g} a {high:g}.",
    Key.SETTING_NUMBER: "L'impostazione {name} dev'essere un numero da {low:g} a {high:g}.",
    Key.BASIS_CANDIDATES: "L'impostazione basis non può essere maggiore di candidates.",
    Key.BASIS_START: "L'impostazione basis richiede start: samples.",
    Key.CUTOUT_SIDES: "L'impostazione cutout_min non può essere maggiore di cutout_max.",
    Key.BEGIN_TWICE: "Un sogno comincia o da un'immagine o dalla fine di un altro sogno, non da entrambi.",
    Key.BEGIN_UNKNOWN: "Un sogno non può cominciare con {begin!r}; può: {known}.",
    Key.BEGIN_NO_STATE: (
        "A un sogno che comincia con {begin!r} serve nessuno stato; ne sono arrivati {count}."
    ),
    Key.BEGIN_ONE_STATE: "A un sogno che comincia con {begin!r} serve uno stato; ne sono arrivati {count}.",
    Key.BEGIN_TWO_STATES: "A un sogno che comincia con {begin!r} serve due stati; ne sono arrivati {count}.",
    Key.STRENGTH_IS: "La forza è {strength:g}; dev'essere da 0 a 1.",
    Key.STATE_SECONDS: "I secondi fra uno stato e l'altro non possono essere negativi.",
    Key.STATE_BYTES: "Questo stato ha {size} byte; quello di un sogno ne ha al massimo {most}.",
    Key.STATE_DAMAGED: "Questo non è lo stato di un sogno, o è rovinato; il sogno va sognato da capo.",
    Key.STATE_MODEL: "Questo stato è di un altro modello, con questo non si può usare.",
    Key.STATE_VERSION: "Questo stato è di un'altra versione di Oneiro; il sogno va sognato da capo.",
    Key.STATE_SEED: "Questo stato è di un sogno con il seme {seed}; riprendilo con quello.",
    Key.STATE_SETTINGS: (
        "Questo stato è di un sogno con altre impostazioni; continualo invece di riprenderlo."
    ),
    Key.STATE_WORDS: "Questo stato va verso altre parole; continualo invece di riprenderlo.",
    Key.DREAM_MEMORY: "Per un sogno servono circa {need} di memoria, ma ne sono liberi solo {free}.",
    Key.DREAM_ADDRESSES: (
        "Per un sogno servono circa {need} di spazio di indirizzi, ma il limite (ulimit -v) ne lascia {free}."
    ),
    Key.MODEL_MEMORY: (
        "Il modello {name} ha bisogno di circa {need:.1f} GB di memoria, ma ne sono liberi solo {free:.1f}"
        " GB; forse ci sta uno più piccolo."
    ),
    Key.MODEL_DISK: (
        "Non c'è posto per il modello: in {folder} servono altri {needed} MB, liberi sono {free} MB."
    ),
    Key.MODEL_NOT_KEPT: "Il modello {model} non si può salvare in {folder}: {reason}.",
    Key.LARGE_NOT_FETCHED: "Non sono riuscito a scaricare i modelli grandi.",
    Key.BANNED_SINCE: "Nel frattempo questo server ha vietato alcune di queste parole.",
    Key.PARENT_GONE: "Il sogno da cui questo dovrebbe partire non c'è più.",
    Key.IMAGE_GONE: "L'immagine a cui questo sogno dovrebbe somigliare non c'è più.",
}
