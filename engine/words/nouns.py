"""Nouns of English and Italian by what a being of two could make of them. Loads no library.

Singular, and plural where that is usual; of several words the main one. They decide what is left open by the
words between two nouns: 'un drago di fuoco' is made of it, 'a dog house' is not. What can be drawn they
do not know.
"""


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


BEINGS = _all(
    "alien ant badger bat bear beaver bee beetle bird bison boar bug butterfly camel cat chick chicken "
    "chipmunk cow crab cricket crocodile deer dinosaur dodo dog dolphin donkey dove dragon duck eagle "
    "elephant elf fairy fish flamingo fly fox frog genie ghost giraffe goat goblin goose gorilla "
    "hamster hedgehog hippo hippopotamus honeybee horse jellyfish kangaroo kitten koala ladybug lamb "
    "leopard lion lizard llama lobster mammoth mermaid monkey monster moose mosquito mouse ninja "
    "octopus ogre orangutan otter owl ox panda parrot peacock penguin phoenix pig poodle puppy rabbit "
    "raccoon ram rat rhino rhinoceros robot rooster scorpion seal shark sheep shrimp skeleton skunk "
    "sloth snail snake snowman spider squid squirrel swan t-rex tiger troll turkey turtle unicorn "
    "vampire whale witch wizard wolf worm zebra zombie alce alieno anatra ape aquila asino balena "
    "bradipo bue bufalo calamaro cammello cane canguro capra castoro cavallo cervo cigno cinghiale "
    "coccinella coccodrillo colomba coniglio criceto delfino dinosauro drago dromedario elefante elfo "
    "fantasma farfalla fata fenice fenicottero foca formica gallina gallo gamberetto gatto ghepardo "
    "giraffa granchio grillo gufo insetto ippopotamo leone leopardo lontra lucertola lumaca lupo maiale "
    "mammut medusa montone mosca mostro mucca oca orangotango orco orsetto orso pappagallo pavone "
    "pecora pesce pinguino pipistrello polpo procione pulcino puzzola ragno rana ratto riccio "
    "rinoceronte scarafaggio scimmia scoiattolo scorpione serpente sirena squalo strega tacchino "
    "tartaruga tasso tigre topo uccello unicorno vampiro verme volpe zanzara"
)
FOODS = _all(
    "apple avocado bacon bagel banana bean beans blueberry blueberries bread broccoli burrito butter "
    "cake candy carrot cheese cherry cherries chestnut chocolate coconut cookie cookies corn croissant "
    "cucumber cupcake custard doughnut donut egg eggs eggplant falafel fries fruit garlic gingerbread "
    "grape grapes hamburger honey jelly kiwi lemon lime lollipop mango meat melon mushroom noodles "
    "olive onion orange oyster pancake pancakes pasta peach peanut pear pepper pie pineapple pizza "
    "popcorn potato pretzel rice salad sandwich spaghetti strawberry sugar sushi taco tangerine tomato "
    "vegetables waffle watermelon aglio ananas anguria arancia arancio biscotti biscotto burro cacao "
    "caramella caramelle caramello carne carota carote castagna cetriolo cioccolata cioccolato cipolla "
    "ciliegie cocco fagioli farina formaggio fragola fragole frutta fungo funghi gelato lattuga limone "
    "limoni marzapane mela mele melone miele mirtilli noci oliva pane patata patate patatine pera pere "
    "pesca pomodoro pomodori riso torta uova uva verdura verdure zucca zucchero pumpkin gelatina"
)
MATERIALS = _all(
    "bone bones brick bricks cloud clouds coal cotton crystal diamond diamonds fire flames flower "
    "flowers glass gold grass ice iron leaves lightning marble metal mud paper plastic rock rocks rose "
    "roses sand silver smoke snow stone straw sunflowers stars water wax wood wool yarn lego leather "
    "steel acciaio acqua argento carta cera cotone cristallo cuoio diamante diamanti erba ferro fiamme "
    "fiori foglie fulmini fumo fuoco ghiaccio lana lava legno marmo mattoni metallo neve nuvole oro "
    "ossa paglia pelle pietra plastica roccia sabbia stelle vetro fango"
)
# What may as well be built of anything.
BUILT = _all(
    "airplane ambulance bicycle boat bridge bus car castle chair church clock crown dress guitar hat "
    "helicopter heart house hut mountain motorcycle palace piano rocket ship shoe statue sword tower "
    "train throne tractor violin aereo aeroplano astronave auto barca bicicletta casa castello chiesa "
    "chitarra corona cuore macchina montagna moto nave orologio palazzo ponte razzo scarpa sedia spada "
    "statua torre treno trono vestito violino"
)
ALL = BEINGS | FOODS | MATERIALS | BUILT
# What is for an animal or of it in English: 'a dog house'.
FOR_BEINGS = _all(
    "bath bathtub bed bone bones book bowl box cage cart carriage catcher collar costume doctor ears "
    "egg eggs eye eyes face farm feather feet fin food foot hair head hole house hutch keeper kennel "
    "leash leather leg legs lover man market meat milk nest nose owner paw paws picture poo print "
    "prints race shop show skin skull sled suit tail tank teeth tongue tooth toy track trap web wing "
    "wings woman wool zoo"
)
# What foods grow on, come in or become: 'a lemon tree'.
WITH_FOODS = _all(
    "bag bar barrel basket blossom bottle bowl box bush can cream crate cup factory farm field flower "
    "fork garden glass grower jar juice knife leaf market mug oil orchard pan peel plant plate pot "
    "sauce seed shake shop slice soup spoon stand store tart tea tree truck vase"
)
# English names of one real thing made of two nouns, here with _ between them.
ONE_THING = frozenset(
    name.replace("_", " ")
    for name in _all(
        "tiger_shark whale_shark elephant_seal leopard_seal spider_monkey spider_crab crab_spider "
        "wolf_spider horse_fly butter_fly dragon_fly fire_fly fruit_fly fruit_bat cat_fish lion_fish "
        "parrot_fish zebra_fish star_fish stone_fish jelly_fish gold_fish eagle_owl snow_owl snow_leopard "
        "snow_goose rat_snake grass_snake water_snake bull_frog honey_bee honey_badger fox_terrier wolf_dog "
        "sheep_dog fire_ant sand_worm wood_mouse wood_worm rock_star paper_boat paper_airplane paper_hat "
        "gingerbread_man"
    )
)
# What only says where a being lives, or how old it is, in English: 'a house cat'.
SAYS_WHERE = _all(
    "baby beach birthday castle christmas church circus city desert farm forest garden hospital hotel house "
    "island moon mountain night police river school sea snow space street sun sunset teddy temple toy water "
    "zoo"
)
